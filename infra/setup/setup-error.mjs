/** A set-up step cannot go on; the message says what and where, the remedy what the user can do about it. */
export class SetupError extends Error {
  /**
   * @param {string} step  name of the step as the user sees it
   * @param {string} problem  what went wrong, with the path or command
   * @param {string} remedy  what to do now
   * @param {unknown} [cause]
   */
  constructor(step, problem, remedy, cause) {
    super(`${step}: ${problem}`, { cause });
    this.name = 'SetupError';
    this.step = step;
    this.problem = problem;
    this.remedy = remedy;
  }

  /** The whole message, for a terminal. */
  get text() {
    return `set-up stopped at ${this.step}\n  what    ${indent(this.problem)}\n  remedy  ${indent(this.remedy)}`;
  }
}

/** @param {string} text */
const indent = (text) => text.trim().replaceAll('\n', '\n          ');

const KNOWN_CAUSES = [
  {
    pattern: /ENOSPC|No space left on device|disk quota exceeded/i,
    remedy: 'the disk is full: free some space, or point ASI_CACHE at a larger disk',
  },
  {
    pattern: /EACCES|EPERM|EROFS|Permission denied|Read-only file system/i,
    remedy: 'no permission to write there: change the owner of the folder, or point ASI_CACHE at a folder of yours',
  },
  {
    pattern:
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|dns error|error sending request|Could not resolve|no such host|Temporary failure in name resolution|dial tcp|network is unreachable|timed out/i,
    remedy:
      'the package registry did not answer: check the network and the proxy settings, then run the same command again; finished steps are kept',
  },
  {
    pattern: /EUSAGE|in sync/i,
    remedy: 'package.json and package-lock.json do not belong together: run "npm install" and commit the lockfile',
  },
  {
    pattern: /EINTEGRITY|hash mismatch|checksum mismatch|Hash mismatch|SECURITY ERROR/i,
    remedy:
      'a download is not the file that the lock names: do not trust it; clean the package cache and try again from another network',
  },
];

/**
 * The remedy that fits the output of a failed command.
 * @param {string} output
 * @param {string} otherwise
 */
export const remedyFor = (output, otherwise) => KNOWN_CAUSES.find(({ pattern }) => pattern.test(output))?.remedy ?? otherwise;
