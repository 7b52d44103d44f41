/**
 * A step of the set-up brings one thing onto the machine. It is a module with `name`, `inspect` (looks, changes nothing, is quick) and
 * `install` (called under the set-up lock when `inspect` said no; may be interrupted at any moment; a word on what it did comes back).
 *
 * @typedef {object} Finding
 * @property {boolean} ok
 * @property {string | null} version
 * @property {string | null} path  where it is, or where it will be
 * @property {string} found  what was found, in a few words
 * @property {string} [remedy]  present when not ok
 *
 * @typedef {{ signal?: AbortSignal, log: (line: string) => void }} Context
 * @typedef {(places: import('./places.mjs').Places) => Promise<Finding>} Inspect
 * @typedef {(places: import('./places.mjs').Places, context: Context) => Promise<string>} Install
 * @typedef {{ readonly name: string, readonly inspect: Inspect, readonly install: Install }} Step
 */

export {};
