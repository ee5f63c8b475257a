import type { Aggregator, AggregatorInput } from '../circuit/aggregator.js';
import { aggregatorsByKind } from '../circuit/aggregators/aggregator-of.js';
import { decimalAvg, decimalSum } from '../circuit/aggregators/decimal-sum.js';
import { decimalOfOrder, decimalOrder } from '../zset/decimal.js';
import type { Row, Value } from '../zset/value.js';
import type { AggregateSpec, ColumnType, Expression } from './plan.js';

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

function shownAsDecimals(aggregator: Aggregator, scale: number): Aggregator {
  const shown = (value: Value): Value =>
    Array.isArray(value)
      ? value.map((each: Value) => shown(each))
      : value === null
        ? null
        : decimalOfOrder(value as string, scale);
  return { ...aggregator, result: (accumulator, group) => shown(aggregator.result(accumulator, group)) };
}
