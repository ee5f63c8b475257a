import type { Aggregator, AggregatorInput } from '../circuit/aggregator.js';
import { aggregatorsByKind } from '../circuit/aggregators/aggregator-of.js';
import { decimalAvg, decimalSum } from '../circuit/aggregators/decimal-sum.js';
import { decimalOfOrder, decimalOrder } from '../zset/decimal.js';
import type { Row, Value } from '../zset/value.js';
import type { AggregatePart } from './aggregate-input.js';
import type { AggregateSpec } from './aggregate-spec.js';
import type { ColumnType } from './column.js';
import type { Expression } from './expression.js';

/**
 * The aggregator of an aggregate. Decimals are texts: what compares them is given texts that are in the order of the numbers,
 * and what it then shows of them is turned back.
 */
export function aggregatorOfSpec(spec: AggregateSpec, given: AggregatorInput): Aggregator {
  const by = decimalsOf(spec.by) === null ? given.by : ordered(given.by);
  const scale = decimalsOf(spec.value);
  const input = { ...given, by };
  if (scale === null) return aggregatorsByKind[spec.kind](input);
  const value = input.value!;
  switch (spec.kind) {
    case 'sum':
      return decimalSum(value, scale);
    case 'sumIf':
      return decimalSum(value, scale, input.test!);
    case 'avg':
      return decimalAvg(value, scale);
    case 'min':
    case 'max':
    case 'percentile':
    case 'topK':
    case 'collect':
    case 'collectDistinct':
      return shownAsDecimals(aggregatorsByKind[spec.kind]({ ...input, value: ordered(value) }), scale);
    default:
      return aggregatorsByKind[spec.kind](input);
  }
}

/** The aggregator of what an aggregate reads. */
export const aggregatorOfPart = (
  { spec, value, by, test }: AggregatePart,
  given: Pick<AggregatorInput, 'inLogOrder' | 'appendOnly' | 'members'>,
): Aggregator =>
  aggregatorOfSpec(spec, {
    value,
    present: spec.value !== null && !spec.value.column.type.nullable,
    by,
    test,
    options: spec.options,
    ...given,
  });

/** The scale of the decimals that an expression gives; null of anything else. */
function decimalsOf(expression: Expression | null): number | null {
  const type: ColumnType | undefined = expression?.column.type;
  return type?.kind === 'string' && type.format === 'decimal' ? type.scale : null;
}

function ordered(read: (row: Row) => Value): (row: Row) => Value;
function ordered(read: ((row: Row) => Value) | null): ((row: Row) => Value) | null;
function ordered(read: ((row: Row) => Value) | null): ((row: Row) => Value) | null {
  if (read === null) return null;
  return (row) => {
    const value = read(row);
    return value === null ? null : decimalOrder(value as string);
  };
}

/** A column as values that are in order, and what is shown of them. */
export function comparableBySpec(
  { value }: AggregateSpec,
  read: (row: Row) => Value,
): { read: (row: Row) => Value; shown: (value: Value) => Value } {
  const scale = decimalsOf(value);
  return scale === null
    ? { read, shown: (held) => held }
    : { read: ordered(read), shown: (held) => decimalsOfOrder(held, scale) };
}

const decimalsOfOrder = (value: Value, scale: number): Value =>
  Array.isArray(value)
    ? value.map((each: Value) => decimalsOfOrder(each, scale))
    : value === null
      ? null
      : decimalOfOrder(value as string, scale);

const shownAsDecimals = (aggregator: Aggregator, scale: number): Aggregator => ({
  ...aggregator,
  result: (accumulator, group) => decimalsOfOrder(aggregator.result(accumulator, group), scale),
});
