import {
  add,
  ceilDiv,
  constant,
  type Dim,
  floorDiv,
  max,
  min,
  mod,
  mul,
  negate,
  power,
  sub,
  variable,
} from '../dims/dim.ts';

/** Reads the words, numbers, strings and dims of one line of IR text. */
export class Scanner {
  private readonly text: string;
  private readonly line: number;
  private at = 0;

  constructor(text: string, line: number) {
    this.text = text;
    this.line = line;
  }

  fail(wanted: string): never {
    throw new Error(`IR text, line ${this.line}, column ${this.at + 1}: expected ${wanted}`);
  }

  /** Skips blanks, then consumes `token` if it comes next. Returns whether it did. */
  take(token: string): boolean {
    this.blanks();
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.take(token)) this.fail(`'${token}'`);
  }

  word(): string {
    return this.match(/[A-Za-z_][A-Za-z0-9_]*/y) ?? this.fail('a name');
  }

  /** A name such as `%12`. */
  valueName(): string {
    return this.match(/%\d+/y) ?? this.fail('a value');
  }

  string(): string {
    const literal = this.match(/"(?:[^"\\]|\\.)*"/y) ?? this.fail('a string');
    return JSON.parse(literal) as string;
  }

  number(): number {
    const literal = this.match(/-?(?:inf|nan|\d+(?:\.\d+)?(?:e[+-]?\d+)?)/y) ?? this.fail('a number');
    if (literal.endsWith('inf')) return literal.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    return literal === 'nan' ? Number.NaN : Number(literal);
  }

  /** Reads comma-separated items up to and including `close`. */
  list<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    if (this.take(close)) return items;
    do items.push(item());
    while (this.take(','));
    this.expect(close);
    return items;
  }

  /** Whether only blanks or a comment remain. */
  atEnd(): boolean {
    this.blanks();
    return this.at >= this.text.length || this.text.startsWith('//', this.at);
  }

  /** Consumes a comment and returns the text after `//`; returns '' if there is none. */
  comment(): string {
    if (!this.take('//')) return '';
    const text = this.text.slice(this.at).trim();
    this.at = this.text.length;
    return text;
  }

  /** Reads a dim in the syntax that `dims.print` writes. */
  dim(): Dim {
    let result = this.product();
    for (;;) {
      if (this.take('+')) result = add(result, this.product());
      else if (this.take('-')) result = sub(result, this.product());
      else return result;
    }
  }

  private product(): Dim {
    // A sign binds tighter than `%`, as in `-H % 32`.
    let result = this.take('-') ? negate(this.factor()) : this.factor();
    for (;;) {
      if (this.take('*')) result = mul(result, this.factor());
      else if (this.take('%')) result = mod(result, this.number());
      else return result;
    }
  }

  private factor(): Dim {
    let base: Dim;
    const digits = this.match(/\d+/y);
    if (digits !== undefined) base = constant(Number(digits));
    else if (this.take('(')) {
      base = this.dim();
      this.expect(')');
    } else if (this.take('floor(')) base = this.quotient(floorDiv);
    else if (this.take('ceil(')) base = this.quotient(ceilDiv);
    else if (this.take('min(')) base = this.list(')', () => this.dim()).reduce(min);
    else if (this.take('max(')) base = this.list(')', () => this.dim()).reduce(max);
    else base = variable(this.match(/[A-Za-z_][A-Za-z0-9_']*(?:\[\d+\])*/y) ?? this.fail('a dim'));
    return this.take('^') ? power(base, this.number()) : base;
  }

  private quotient(divide: (dividend: Dim, divisor: number) => Dim): Dim {
    const dividend = this.dim();
    this.expect('/');
    const divisor = this.number();
    this.expect(')');
    return divide(dividend, divisor);
  }

  private match(pattern: RegExp): string | undefined {
    this.blanks();
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  private blanks(): void {
    while (this.text[this.at] === ' ') this.at++;
  }
}
