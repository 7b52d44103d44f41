export { DiskWatch } from './disk-watch.ts';
export { StackStartError } from './kept-process.ts';
export { EqualPortsError, PortInUseError } from './ports.ts';
export { findStack, type RunningStack } from './stack-record.ts';
export {
  type Stack,
  type StackOptions,
  type StackProcess,
  StackRunningError,
  type StopOptions,
  startStack,
} from './start-stack.ts';
