/**
 * A Python program as a text in which comments, docstrings, blank lines, line breaks inside brackets, the width of indents and the names
 * that the program itself defines play no part. Two programs with one text do the same.
 *
 * Names are renamed in the order of their first use: classes, functions, parameters, local variables and attributes set on `self`, all
 * occurrences of a name alike. A name keeps its spelling where something outside may look it up by that spelling: imports, built-ins, the
 * mixer contract, keywords of calls, attributes of other objects, anything that a string spells out. So two equal programs may be missed,
 * but different ones never become equal.
 */
export const normalisePython = (program: string): string => {
  const statements = bareStatements(program);
  const fixed = new Set([...fixedNames, ...statements.flatMap(({ tokens }) => spelledNames(tokens))]);
  const renamable = new Set(
    statements.flatMap(({ tokens }) => definedNames(tokens)).filter((name) => !fixed.has(name) && !name.startsWith('__')),
  );
  const renamed = new Map<string, string>();
  const rename = (name: string): string => {
    const known = renamed.get(name) ?? `n${renamed.size}`;
    renamed.set(name, known);
    return known;
  };
  return statements
    .map(({ depth, tokens }) => {
      const words = tokens.map(({ kind, text }) => (kind === 'name' && renamable.has(text) ? rename(text) : text));
      return `${depth}:${words.join(' ')}`;
    })
    .join('\n');
};

/** The program's own words, one statement a line, without comments, docstrings and layout. */
export const bareText = (program: string): string =>
  bareStatements(program)
    .map(({ depth, tokens }) => `${' '.repeat(depth)}${tokens.map(({ text }) => text).join(' ')}`)
    .join('\n');

const bareStatements = (program: string): readonly Statement[] =>
  splitStatements(readTokens(program)).filter(({ tokens }) => !isBareString(tokens));

/** Keywords, what PyTorch and the mixer contract look up, and built-ins that a program may shadow in one place and call in another. */
const fixedNames: readonly string[] = [
  'and as assert async await break class continue def del elif else except False finally for from global if import in is lambda None',
  'nonlocal not or pass raise return True try while with yield match case',
  'Mixer forward backward setup_context hidden_size num_heads layer_index num_layers x state self super',
  'abs all any bool dict enumerate filter float getattr hasattr int isinstance iter len list map max min next pow print range reversed',
  'round set slice sorted str sum tuple type zip',
].flatMap((line) => line.split(' '));

interface Token {
  readonly kind: 'name' | 'string' | 'number' | 'mark' | 'newline';
  readonly text: string;
  /** Column of the first token of a line; meaningless elsewhere. */
  readonly column: number;
}

const tokenPattern = new RegExp(
  [
    /(?<skip>[ \t\f]+|#[^\n]*|\\\r?\n)/u,
    /(?<newline>\r?\n|;)/u,
    /(?<string>[A-Za-z]{0,2}(?:"""(?:[^\\]|\\[\s\S])*?"""|'{3}(?:[^\\]|\\[\s\S])*?'{3}|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'))/u,
    /(?<name>[\p{L}_][\p{L}\p{N}_]*)/u,
    /(?<number>(?:\d|\.\d)(?:[eE][+-]|[\w.])*)/u,
    /(?<mark>\*\*=?|\/\/=?|>>=?|<<=?|->|:=|[=!<>+\-*/%&|^@]=|[\s\S])/u,
  ]
    .map((part) => part.source)
    .join('|'),
  'gu',
);

/** Tokens without comments; newlines only where a statement can end. */
const readTokens = (program: string): readonly Token[] => {
  const tokens: Token[] = [];
  let brackets = 0;
  let lineStart = 0;
  for (const match of program.matchAll(tokenPattern)) {
    const { skip, newline, string, name, number } = match.groups ?? {};
    if (skip !== undefined) continue;
    const text = match[0];
    if (newline !== undefined) {
      if (text !== ';') lineStart = match.index + text.length;
      if (brackets === 0) tokens.push({ kind: 'newline', text, column: 0 });
      continue;
    }
    const column = match.index - lineStart;
    if ('([{'.includes(text)) brackets += 1;
    else if (')]}'.includes(text)) brackets = Math.max(0, brackets - 1);
    const kind = string !== undefined ? 'string' : name !== undefined ? 'name' : number !== undefined ? 'number' : 'mark';
    tokens.push({ kind, text, column });
  }
  return tokens;
};

interface Statement {
  /** Level of indentation, counted, not measured. */
  readonly depth: number;
  readonly tokens: readonly Token[];
}

const splitStatements = (tokens: readonly Token[]): readonly Statement[] => {
  const statements: Statement[] = [];
  const indents: number[] = [0];
  let line: Token[] = [];
  let startsLine = true;
  const end = (): void => {
    const first = line[0];
    if (first === undefined) return;
    if (startsLine) {
      while (first.column < (indents.at(-1) ?? 0)) indents.pop();
      if (first.column > (indents.at(-1) ?? 0)) indents.push(first.column);
    }
    statements.push({ depth: indents.length - 1, tokens: line });
    line = [];
  };
  for (const token of tokens) {
    if (token.kind !== 'newline') {
      line.push(token);
      continue;
    }
    end();
    startsLine = token.text !== ';';
  }
  end();
  return statements;
};

const isBareString = (tokens: readonly Token[]): boolean => tokens.every((token) => token.kind === 'string');

/** Names that a statement brings into the program. */
const definedNames = (tokens: readonly Token[]): readonly string[] => {
  const first = tokens[0]?.text;
  if (first === 'class') return namesAt(tokens, [1]);
  if (first === 'def') return [...namesAt(tokens, [1]), ...parameterNames(tokens)];
  if (first === 'for')
    return targetNames(
      tokens.slice(
        1,
        tokens.findIndex((token) => token.text === 'in'),
      ),
    );
  if (first === 'import' || first === 'from') return [];
  const assignment = lastAssignment(tokens);
  return assignment < 0 ? [] : targetNames(tokens.slice(0, assignment));
};

const namesAt = (tokens: readonly Token[], indices: readonly number[]): readonly string[] =>
  indices.flatMap((index) => (tokens[index]?.kind === 'name' ? [tokens[index].text] : []));

/** Names right after the opening bracket or a comma of the signature's own level, stars skipped. */
const parameterNames = (tokens: readonly Token[]): readonly string[] => {
  const names: string[] = [];
  let depth = 0;
  let expectsName = false;
  for (const token of tokens) {
    if ('([{'.includes(token.text)) {
      depth += 1;
      expectsName = depth === 1;
    } else if (')]}'.includes(token.text)) {
      depth -= 1;
      if (depth === 0) break;
    } else if (depth === 1 && token.text === ',') expectsName = true;
    else if (depth === 1 && expectsName && token.kind === 'name') {
      names.push(token.text);
      expectsName = false;
    }
  }
  return names;
};

/** Where the value of `a = b = value`, `a: T = value` or `a += value` begins; -1 for a statement that assigns nothing. */
const lastAssignment = (tokens: readonly Token[]): number => {
  let depth = 0;
  let found = -1;
  for (const [index, token] of tokens.entries()) {
    if ('([{'.includes(token.text)) depth += 1;
    else if (')]}'.includes(token.text)) depth -= 1;
    else if (depth === 0 && token.text === '=') found = index;
  }
  return found;
};

/** Plain names and attributes of `self` among assignment targets; not what is indexed or belongs to another object. */
const targetNames = (tokens: readonly Token[]): readonly string[] =>
  tokens.flatMap((token, index) => {
    if (token.kind !== 'name' || token.text === 'self') return [];
    const before = tokens[index - 1]?.text;
    if (before === ':') return [];
    return before !== '.' || tokens[index - 2]?.text === 'self' ? [token.text] : [];
  });

/** Names whose spelling matters to something that this program does not define. */
const spelledNames = (tokens: readonly Token[]): readonly string[] => {
  const isImport = tokens[0]?.text === 'import' || tokens[0]?.text === 'from';
  const isSignature = tokens[0]?.text === 'def';
  let depth = 0;
  return tokens.flatMap((token, index) => {
    if ('([{'.includes(token.text)) depth += 1;
    else if (')]}'.includes(token.text)) depth -= 1;
    if (token.kind === 'string') return token.text.match(/[\p{L}_][\p{L}\p{N}_]*/gu) ?? [];
    if (token.kind !== 'name') return [];
    const ofOther = tokens[index - 1]?.text === '.' && tokens[index - 2]?.text !== 'self';
    const keyword = !isSignature && depth > 0 && tokens[index + 1]?.text === '=';
    return isImport || ofOther || keyword ? [token.text] : [];
  });
};
