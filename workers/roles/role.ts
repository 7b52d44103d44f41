/** The worker processes of the system; kept apart from what they open, so that a supervisor does not load it. */
export const roles = ['orchestrator', 'agents', 'checker', 'trainer'] as const;
export type Role = (typeof roles)[number];
export const isRole = (text: string): text is Role => (roles as readonly string[]).includes(text);
