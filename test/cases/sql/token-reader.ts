import { unsupported } from '../unsupported.js';
import { type Token, tokens } from './lexer.js';

/** Reads tokens one after the other. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(sql: string) {
    this.#tokens = tokens(sql);
  }

  get atEnd(): boolean {
    return this.token.kind === 'end';
  }

  get rest(): string {
    return this.#tokens
      .slice(this.#at, this.#at + 6)
      .map(({ text }) => text)
      .join(' ');
  }

  protected get token(): Token {
    return this.#tokens[this.#at]!;
  }

  protected ahead(by: number): Token {
    return this.#tokens[Math.min(this.#at + by, this.#tokens.length - 1)]!;
  }

  protected next(): Token {
    return this.#tokens[this.#at++]!;
  }

  /** Whether these words or marks come next. */
  protected sees(...texts: readonly string[]): boolean {
    return texts.every((text, index) => {
      const token = this.ahead(index);
      return (token.kind === 'word' || token.kind === 'mark') && token.text === text;
    });
  }

  /** Takes them if they come next. */
  skip(...texts: readonly string[]): boolean {
    if (!this.sees(...texts)) return false;
    this.#at += texts.length;
    return true;
  }

  protected expect(...texts: readonly string[]): void {
    if (!this.skip(...texts)) unsupported(`SQL: expected ${texts.join(' ')} at "${this.rest}"`);
  }

  protected name(): string {
    const token = this.next();
    if (token.kind !== 'word' && token.kind !== 'quoted')
      unsupported(`SQL: expected a name, not "${token.text}"`);
    return token.text;
  }

  protected names(): string[] {
    this.expect('(');
    const found = this.list(() => this.name());
    this.expect(')');
    return found;
  }

  protected list<T>(one: () => T): T[] {
    const found = [one()];
    while (this.skip(',')) found.push(one());
    return found;
  }
}
