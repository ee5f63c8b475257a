import type { z } from 'zod';
import { columnNameProblem } from './column-name.js';
import { columnsOf, isSchema } from './columns.js';
import { sameKind, typeText, type Column } from './column.js';
import {
  type Expression,
  type NamedExpression,
  expressionOf,
  noteFunction,
  noteUnstorable,
  POSITION,
  type Note,
} from './expression.js';
import { placeOfDeclaration } from './place.js';
import type { PlanNode } from './plan.js';
import { problemsOf, type Problem } from './problem.js';
import { asItIs, projected } from './projected.js';
import { columnNames } from './relation.js';
import { functionProblem } from './user-function.js';

/** The making of one collection: its place, and the problems of what it is made of and its own. */
export class Build {
  readonly place = placeOfDeclaration();
  readonly problems: Problem[];
  readonly note: Note = (problem) => void this.problems.push(problem);
  readonly #input: PlanNode;

  constructor(input: { readonly plan: PlanNode }, ...others: readonly (object | null | undefined)[]) {
    this.#input = input.plan;
    this.problems = [input, ...others].flatMap((other) => (other ? problemsOf(other) : []));
  }

  check(fn: unknown, where: string): void {
    const problem = functionProblem(fn);
    if (problem !== null) noteFunction(problem, where, this.place, this.note);
  }

  columns(columns: unknown, purpose: string): NamedExpression[] {
    const entries = columns !== null && typeof columns === 'object' ? Object.entries(columns) : [];
    if (entries.length === 0)
      this.note({
        code: 'no-columns',
        what: `No columns are named to ${purpose}.`,
        evidence: { 'there are': columnNames(this.#input) },
        remedy: `Name at least one: { name: 'path' }.`,
        place: this.place,
      });
    for (const [name] of entries) this.#noteName(name);
    return entries.map(([name, value]) => ({
      name,
      value: expressionOf(this.#input.relation, value, name, { purpose, place: this.place, note: this.note }),
    }));
  }

  rowColumns(schema: z.core.$ZodType, where: string): readonly Column[] {
    const described = isSchema(schema) ? columnsOf(schema) : null;
    if (described === null)
      this.note({
        code: 'bad-schema',
        what: `The schema of the rows of ${where} is not one of objects.`,
        remedy: 'Write z.object({ … }).',
        place: this.place,
      });
    noteUnstorable(described?.unstorable ?? [], `The row of ${where}`, this.place, this.note);
    return described?.columns ?? [];
  }

  planOf(other: unknown, where: string): PlanNode {
    const plan = (other as { readonly plan?: PlanNode } | null)?.plan;
    if (plan?.relation) return plan;
    this.note({
      code: 'not-a-collection',
      what: `What is given to ${where} is not a collection.`,
      evidence: {
        given: other === undefined ? 'undefined (a module that imports itself in a circle?)' : typeof other,
      },
      remedy: 'Give a stream, a table, a view, or what is made of them.',
      place: this.place,
    });
    return this.#input;
  }

  isUnknown = (value: Expression): boolean =>
    this.problems.some((problem) => value.kind === 'path' && problem.what.includes(`"${value.path}"`));

  noteType(column: Column, does: string, remedy: string): void {
    if (
      this.problems.some(
        (problem) => problem.code === 'unknown-column' && problem.what.includes(`"${column.name}"`),
      )
    )
      return;
    this.note({
      code: 'wrong-type',
      what: `"${column.name}" ${does}.`,
      evidence: { [column.name]: typeText(column.type) },
      remedy,
      place: this.place,
    });
  }

  noteTaken(names: readonly string[]): void {
    for (const name of names) {
      this.#noteName(name);
      if (this.#input.relation.columns.some((column) => column.name === name))
        this.note({
          code: 'column-twice',
          what: `The rows have a column "${name}" already.`,
          evidence: { columns: columnNames(this.#input) },
          remedy: 'Give the new column another name.',
          place: this.place,
        });
    }
  }

  /** Notes that rows cannot be put in windows that say already in which they are. */
  noteWindowed(names: readonly string[]): void {
    const taken = names.filter((name) => this.#input.relation.columns.some((column) => column.name === name));
    const [start] = taken;
    if (start === undefined) return;
    this.note({
      code: 'column-twice',
      what: `window() gives rows the columns ${names.join(' and ')}, and these have ${taken.join(' and ')} already: they are in windows, or made of some.`,
      evidence: { columns: columnNames(this.#input) },
      remedy: `To put windows in greater ones rename theirs first: .select({ start: '${start}', … }).window(…, { on: 'start' }).`,
      place: this.place,
    });
  }

  /** `other` with the columns of `like` in their order; noted where it has not the same. */
  alike(like: PlanNode, other: PlanNode, done: 'united' | 'compared'): PlanNode {
    const [wanted, found] = [like.relation.columns, other.relation.columns];
    const ordered = wanted.map((column) => found.find((candidate) => candidate.name === column.name));
    if (
      wanted.length === found.length &&
      ordered.every((column, index) => column && sameKind(column.type, wanted[index]!.type))
    ) {
      if (ordered.every((column, index) => column === found[index])) return other;
      return projected(other, (ordered as Column[]).map(asItIs), this.place);
    }
    const text = (columns: readonly Column[]): string =>
      columns.map((column) => `${column.name}: ${typeText(column.type)}`).join(', ');
    this.note({
      code: 'union-columns',
      what: `Collections of different columns are ${done}.`,
      evidence: { one: text(wanted), other: text(found) },
      remedy: 'Select the same columns, of the same types, on all sides.',
      place: this.place,
    });
    return other;
  }

  #noteName(name: string): void {
    const problem = columnNameProblem(name);
    if (problem !== null && name !== POSITION.slice(1))
      this.note({
        code: 'bad-name',
        what: `A column is named "${name}", which ${problem}.`,
        remedy: 'Name it otherwise.',
        place: this.place,
      });
  }
}
