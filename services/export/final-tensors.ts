import { listTensors, type StoredTensor } from './safetensors.ts';

/**
 * Of a checkpoint's `<task>/<step>/<parameter>`, those of each task's last step, as `<task>/<parameter>`; and tasks that it does not hold.
 * Throws InvalidSafetensorsError.
 */
export const finalTensors = async (
  checkpoint: string,
  tasks: readonly string[],
): Promise<{
  readonly tensors: readonly (StoredTensor & { readonly newName: string })[];
  readonly missing: readonly string[];
}> => {
  const tensors = (await listTensors(checkpoint)).map((tensor) => {
    const [, task = '', step = '', parameter = ''] = /^([^/]+)\/(\d+)\/(.+)$/.exec(tensor.name) ?? [];
    return { ...tensor, task, step: Number(step), newName: `${task}/${parameter}` };
  });
  const last = new Map<string, number>();
  for (const { task, step } of tensors) last.set(task, Math.max(step, last.get(task) ?? 0));
  return {
    tensors: tensors.filter(({ task, step }) => task !== '' && step === last.get(task)),
    missing: tasks.filter((task) => !last.has(task)),
  };
};
