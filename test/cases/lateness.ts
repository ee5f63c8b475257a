import type { CaseTable } from './case-file.js';
import { dialect } from './sql/dialect.js';
import { intervalOf, isTime, msOf } from './sql/types.js';
import { unsupported } from './unsupported.js';

/**
 * Tables that drop late rows before any view has them: a row is late in a column where it lies further behind the greatest
 * value of the steps before than the column's lateness says. What would replace or delete a late row is dropped as well.
 */
export class Lateness {
  readonly #columns: readonly { readonly place: number; readonly delay: number }[];
  readonly #greatest: number[];
  #coming: number[];

  constructor(
    { columns, lateness }: CaseTable,
    readonly types: readonly string[],
  ) {
    const declared = Array.isArray(lateness) ? (lateness as { column: string; value: string }[]) : [];
    if (declared.length > 0 && !dialect().dropsLate) unsupported('lateness of tables in this dialect');
    this.#columns = declared.map(({ column, value }) => {
      const place = columns.findIndex(({ name }) => name === column);
      const delay = isTime(types[place]!) ? intervalOf(value.replace(/interval|'/gi, '')) : Number(value);
      if (typeof delay !== 'number' || !Number.isFinite(delay)) return unsupported(`a lateness of ${value}`);
      return { place, delay };
    });
    this.#greatest = this.#columns.map(() => -Infinity);
    this.#coming = [...this.#greatest];
  }

  get isDeclared(): boolean {
    return this.#columns.length > 0;
  }

  /** What the values of a column of rows that come later are not below; null where none is declared, or none has come. */
  leastOf(place: number): number | null {
    const at = this.#columns.findIndex((column) => column.place === place);
    const least = at === -1 ? -Infinity : this.#coming[at]! - this.#columns[at]!.delay;
    return Number.isFinite(least) ? least : null;
  }

  isLate(values: readonly any[]): boolean {
    return this.#columns.some(
      ({ place, delay }, at) =>
        values[place] !== null && this.#measure(values, place) < this.#greatest[at]! - delay,
    );
  }

  /** Takes note of a row that came in time. */
  saw(values: readonly any[]): void {
    this.#columns.forEach(({ place }, at) => {
      if (values[place] !== null)
        this.#coming[at] = Math.max(this.#coming[at]!, this.#measure(values, place));
    });
  }

  /** From the next step on it counts what this one brought. */
  endStep(): void {
    this.#greatest.splice(0, this.#greatest.length, ...this.#coming);
  }

  #measure(values: readonly any[], place: number): number {
    return isTime(this.types[place]!) ? msOf(values[place]) : values[place];
  }
}
