import { expect, test } from 'vitest';
import { codeKey } from '../../../services/novelty/code-key.ts';
import { bareText, normalisePython } from '../../../services/novelty/normalise-python.ts';

const program = `# a title
import torch
from torch import nn

CHUNK = 32  # tokens

def smooth(values, kernel):
    """Local mean."""
    total = values.cumsum(1)
    return total[:, kernel:] - total[:, :-kernel]


class Mixer(nn.Module):
    def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
        super().__init__()
        self.project = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x, state=None):
        y = smooth(self.project(x), CHUNK)
        return y, state
`;

test('comments, docstrings, layout and own names do not matter', () => {
  const twin = `import torch
from torch import nn
WIDTH = 32

def local(

    v, # values
    length
):
  t = v.cumsum(1)  # running
  return t[:,
           length:] - t[:, :-length]
class Mixer(nn.Module):
  '''Another text.'''
  def __init__(self, hidden_size, num_heads, layer_index=0, num_layers=1):
      super().__init__(); self.w = nn.Linear(hidden_size, hidden_size, bias=False)

  def forward(self, x, state=None):
      out = local(self.w(x), WIDTH)
      return out, state
`;
  expect(normalisePython(twin)).toBe(normalisePython(program));
  expect(codeKey(twin)).toBe(codeKey(program));
});

test.each([
  ['a number', 'CHUNK = 32', 'CHUNK = 33'],
  ['an operator', 'kernel:] -', 'kernel:] +'],
  ['a method of another object', 'cumsum', 'cumprod'],
  ['a keyword of a call', 'bias=False', 'device=False'],
  ['a library class', 'nn.Linear', 'nn.Identity'],
  ['the order of arguments', 'smooth(values, kernel)', 'smooth(kernel, values)'],
  ['an indent', '    return total', '        return total'],
  ['a parameter that the contract names', 'return y, state', 'return y, y'],
])('%s matters', (_what, from, to) => {
  expect(program).toContain(from);
  expect(normalisePython(program.replace(from, to))).not.toBe(normalisePython(program));
});

test.each([
  ['contract names cannot be swapped', 'class Mixer: a = 1\nclass Other: a = 2', 'class Other: a = 1\nclass Mixer: a = 2'],
  ['names that a keyword of a library spells', 'bias = 1\ny = Linear(2, bias=bias)', 'dtype = 1\ny = Linear(2, dtype=dtype)'],
  ['names that a string spells', 'a = 1\nb = 2\ny = f"{a}"', 'b = 1\na = 2\ny = f"{a}"'],
  [
    'names that another object has',
    'def go(q): return 1\ndef stop(q): return 2\nz.go()',
    'def stop(q): return 1\ndef go(q): return 2\nz.go()',
  ],
  ['methods of other objects that share a name with a variable', 'sin = 1\ny = x.sin()', 'cos = 1\ny = x.cos()'],
  ['built-ins that are shadowed', 'def f(max): return max\nmax(1, 2)', 'def f(min): return min\nmin(1, 2)'],
  ['imports', 'from torch import sin\ny = sin(1)', 'from torch import cos\ny = cos(1)'],
  ['keywords before an assignment', 'for i in z: i = 1\nif z: y = 1', 'for i in z: i = 1\nwhile z: y = 1'],
  ['which of two names is meant', 'a = 1\nb = 2\ny = a', 'a = 1\nb = 2\ny = b'],
])('different programs stay different: %s', (_what, one, other) => {
  expect(normalisePython(one)).not.toBe(normalisePython(other));
});

test('hashes, quotes and brackets inside strings are text', () => {
  const text = 'a = "# no comment ("\nb = 1\nc = \'it\\\'s )\'\nd = """x\n# y"""\n';
  expect(bareText(text)).toBe('a = "# no comment ("\nb = 1\nc = \'it\\\'s )\'\nd = """x\n# y"""');
});

test('a text that is no Python still has a normal form', () => {
  expect(normalisePython('')).toBe('');
  expect(normalisePython('))) "unclosed\n  ((')).toBe(normalisePython('))) "unclosed\n  (('));
});
