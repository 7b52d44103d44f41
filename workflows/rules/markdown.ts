/** Characters that Markdown or HTML may take for more than themselves. */
const syntax = /[\\`*_{}[\]()#!|~<>&]/g;

/**
 * A text of a record as Markdown that shows it and does nothing: on one line, no emphasis, link, image, table or HTML, whoever wrote it. An
 * address is taken apart, since pages make a link of one wherever it stands.
 */
export const plainText = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/:\/\//g, ': //')
    .replace(/\bwww\./gi, 'www .')
    .replace(/\b(mailto|xmpp):/gi, '$1 :')
    .replace(/@(?=\w)/g, '@ ')
    .replace(syntax, '\\$&');
