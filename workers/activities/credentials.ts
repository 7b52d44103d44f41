import { type Secret, secretFinder } from '../../workflows/rules/secrets.ts';

/**
 * Why a program is not taken: it holds a credential, and would be stored, shown and exported with it. A mark in its place would make another
 * program of it. Null for one without.
 */
export const credentialProblem = (secrets: readonly Secret[]): ((program: string) => string | null) => {
  const find = secretFinder(secrets);
  return (program) => {
    const found = find(program);
    if (found === null) return null;
    return `line ${found.line} of the program holds a credential (${found.what}); programs are stored, shown and exported as they are: take it out, and make it invalid where it comes from`;
  };
};
