/** Just enough of Python's lexical grammar to colour a listing. */

export interface Token {
  text: string;
  /** The style class, or "" for plain text. */
  style: string;
}

const KEYWORDS =
  'False|None|True|and|as|assert|async|await|break|class|continue|def|del|elif|else|except|' +
  'finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|' +
  'with|yield';

const STYLES = ['zyg-comment', 'zyg-string', 'zyg-number', 'zyg-keyword'];

function lexer(): RegExp {
  return new RegExp(
    [
      /(#[^\n]*)/,
      /((?:\b[rbfuRBFU]{1,2})?(?:'''[^]*?(?:'''|$)|"""[^]*?(?:"""|$)|'(?:\\[^]|[^'\\\n])*'?|"(?:\\[^]|[^"\\\n])*"?))/,
      /(\b\d[\w.]*(?:(?<=[eE])[+-]\d+j?)?)/,
      new RegExp(`\\b(${KEYWORDS})\\b`)
    ]
      .map(part => part.source)
      .join('|'),
    'g'
  );
}

/** The tokens of each line of `text`. */
export function tokenLines(text: string): Token[][] {
  const lines: Token[][] = [[]];
  const push = (part: string, style: string) => {
    part.split('\n').forEach((piece, index) => {
      if (index > 0) {
        lines.push([]);
      }
      if (piece !== '') {
        lines[lines.length - 1].push({ text: piece, style });
      }
    });
  };
  let end = 0;
  for (const match of text.matchAll(lexer())) {
    push(text.slice(end, match.index), '');
    push(match[0], STYLES[match.slice(1).findIndex(group => group !== undefined)]);
    end = match.index + match[0].length;
  }
  push(text.slice(end), '');
  return lines;
}

/** Splits `tokens` so that columns `from` to `to` are tokens of their own, with `style` added. */
export function marked(tokens: Token[], from: number, to: number, style: string): Token[] {
  let start = 0;
  return tokens.flatMap(token => {
    const a = Math.min(Math.max(from - start, 0), token.text.length);
    const b = Math.min(Math.max(to - start, a), token.text.length);
    start += token.text.length;
    return [
      { text: token.text.slice(0, a), style: token.style },
      { text: token.text.slice(a, b), style: `${token.style} ${style}`.trim() },
      { text: token.text.slice(b), style: token.style }
    ].filter(piece => piece.text !== '');
  });
}
