import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { escapeHtml, html, trusted } from '../../../services/report/markup.ts';

describe('html', () => {
  it('shows any text as itself, between tags and inside attributes', () => {
    const printable = fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cc}/u.test(text));
    fc.assert(
      fc.property(printable, (text) => {
        const { document } = parseHTML(html`<!doctype html><html><body><p title="${text}">${text}</p></body></html>`.text);
        expect(document.querySelectorAll('body *')).toHaveLength(1);
        expect(document.querySelector('p')?.textContent).toBe(text);
        expect(document.querySelector('p')?.getAttribute('title')).toBe(text);
      }),
    );
  });

  it('escapes what could end a tag, an attribute or an entity', () => {
    expect(html`${`<b a="1" c='2'>&`}`.text).toBe('&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;');
  });

  it('keeps markup, joins lists and leaves out what is not there', () => {
    expect(html`<ul>${[html`<li>1</li>`, [2, '<'], null, false, trusted('<hr>')]}</ul>`.text).toBe(
      '<ul><li>1</li>2&lt;<hr></ul>',
    );
  });

  it('drops control characters and keeps line ends', () => {
    expect(escapeHtml('a\u0000\u001b[31mb\n\t\u007fc')).toBe('a[31mb\n\tc');
  });
});
