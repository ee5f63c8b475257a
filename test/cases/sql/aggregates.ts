import { unsupported } from '../unsupported.js';
import type { Call } from './ast.js';
import { dialect } from './dialect.js';
import type { Compiled } from './compiled.js';
import { compile } from './expressions.js';
import { listed, type Made, type NewColumn } from './lists.js';
import { columnOf, isStructured, offered, type Rel } from './relation.js';
import { compare } from './comparing.js';
import { fresh, type SqlColumn } from './scope.js';
import { baseOf, exactly, isNumber } from './types.js';

/** An aggregate of SQL as one of the product's: columns it needs first, what is asked for, and what is made of its result. */
export interface MadeAggregate {
  readonly before: readonly { column: SqlColumn; of: Compiled['of'] }[];
  /** The column of the product's aggregate. */
  readonly raw: string;
  readonly rawType: string;
  readonly request: () => unknown;
  /** Of the product's result; null where there was no group at all. */
  readonly result: (raw: any) => any;
  readonly column: SqlColumn;
}

export function aggregateOf(call: Call, rel: Rel): MadeAggregate {
  const before: { column: SqlColumn; of: Compiled['of'] }[] = [];
  const passes = call.filter === null ? null : compile(call.filter, rel.scope).of;
  const column = (type: string, of: Compiled['of']): string => {
    const made = columnOf('', type, { made: true });
    before.push({
      column: made,
      of: passes === null ? of : (row) => (passes(row) === true ? of(row) : null),
    });
    return made.id;
  };
  const args = call.args.map((arg) => compile(arg, rel.scope));
  const [arg] = args;
  const argType = arg === undefined || arg.type === 'unknown' ? 'text' : arg.type;
  const plain = (): string => {
    if (isStructured(argType)) return column('text', (row) => textOrNull(arg!.of(row)));
    return column(argType, arg!.of);
  };
  const made = (
    type: string,
    request: () => unknown,
    result = (raw: any): any => raw,
    rawType = type,
  ): MadeAggregate => ({
    before,
    raw: fresh(),
    rawType,
    request,
    result,
    column: columnOf(call.name, type),
  });
  const zero = (raw: any): any => raw ?? 0;

  switch (call.name) {
    case 'count': {
      if (call.star || call.args.length === 0) {
        if (passes === null) return made('int', () => offered('count')(), zero);
        const flag = column('int', () => 1);
        return made('int', () => offered('count')(flag), zero);
      }
      if (argType === 'json') return unsupported('SQL: count of JSON, whose null no case tells from none');
      if (args.length > 1) {
        const all = column('text', (row) => {
          const values = args.map(({ of }) => of(row));
          return values.includes(null) ? null : JSON.stringify(values);
        });
        return made('int', () => offered(call.distinct ? 'countDistinct' : 'count')(all), zero);
      }
      const id = argType === 'row' ? column('text', (row) => JSON.stringify(arg!.of(row))) : plain();
      return made('int', () => offered(call.distinct ? 'countDistinct' : 'count')(id), zero);
    }
    case 'sum':
    case 'avg': {
      if (!isNumber(argType) && argType !== 'interval') return unsupported(`SQL: ${call.name} of ${argType}`);
      const type = totalType(call.name, argType);
      const id = plain();
      if (!call.distinct) return made(type, () => offered(call.name)(id), totalAs(type));
      return made(
        type,
        () => offered('collect')(id),
        (raw: number[] | null) => {
          const values = [...new Set(raw ?? [])];
          if (values.length === 0) return null;
          const total = values.reduce((sum, value) => sum + value, 0);
          return totalAs(type)(call.name === 'sum' ? total : total / values.length);
        },
        'int[]',
      );
    }
    case 'min':
    case 'max': {
      if (isStructured(argType)) return unsupported(`SQL: ${call.name} of lists`);
      const id = plain();
      return made(argType, () => offered(call.name)(id));
    }
    case 'approx_count_distinct': {
      const id = plain();
      return made('int', () => offered('approxCountDistinct')(id), zero);
    }
    case 'any_value': {
      const id = plain();
      return made(argType, () => offered('min')(id));
    }
    case 'bit_and':
    case 'bit_or':
    case 'bit_xor': {
      const id = plain();
      const fold = BIT_FOLDS[call.name]!;
      return made(
        'int',
        () => offered('collect')(id),
        (raw: number[] | null) =>
          raw === null || raw.length === 0 ? null : Number(raw.map(BigInt).reduce(fold)),
        'int[]',
      );
    }
    case 'bool_and':
    case 'every':
    case 'bool_or': {
      const id = plain();
      return made('bool', () => offered(call.name === 'bool_or' ? 'some' : 'every')(id));
    }
    case 'stddev':
    case 'stddev_samp':
    case 'stddev_pop':
    case 'variance':
    case 'var_samp':
    case 'var_pop': {
      const id = plain();
      const population = call.name.endsWith('_pop');
      const name = call.name.startsWith('stddev') ? 'stddev' : 'variance';
      if (argType === 'int' && dialect().wholeAverages)
        return made(
          'int',
          () => offered(name)(id, { population }),
          (raw: number | null) =>
            raw === null || raw === 0
              ? raw
              : unsupported('deviations of whole numbers, which are whole here'),
        );
      return made(baseOf(argType) === 'float' ? 'float' : 'numeric', () => offered(name)(id, { population }));
    }
    case 'arg_min':
    case 'arg_max': {
      const [value, by] = args;
      if (by === undefined || isStructured(argType)) return unsupported(`SQL: ${call.name}() of these`);
      const shown = column(argType, value!.of);
      const least = call.name === 'arg_min';
      // What has no value is not looked at.
      if (isStructured(by.type)) {
        const extremes = column('text', (row) => {
          const [shown, key] = [value!.of(row), by.of(row)];
          return shown === null || key === null ? null : JSON.stringify([shown, key]);
        });
        const sign = least ? -1 : 1;
        const best = (all: readonly string[] | null): any =>
          (all ?? [])
            .map((text) => JSON.parse(text) as [any, any[]])
            .reduce<[any, any[]] | null>(
              (found, one) => (found === null || sign * compare(one[1], found[1]) > 0 ? one : found),
              null,
            )?.[0] ?? null;
        return made(argType, () => offered('collect')(extremes), best, 'text[]');
      }
      const id = column(by.type, (row) => (value!.of(row) === null ? null : by.of(row)));
      return made(argType, () => offered(least ? 'minBy' : 'maxBy')(id, { value: shown }));
    }
    case 'listagg':
    case 'group_concat':
      return aggregateOf(
        {
          ...call,
          name: 'string_agg',
          args: call.args.length > 1 ? call.args : [...call.args, { k: 'literal', value: ',', type: 'text' }],
        },
        rel,
      );
    case 'percentile_cont':
    case 'percentile_disc':
    case 'approx_percentile':
    case 'mode':
      return ordered(call, rel, column, made, args);
    case 'first_value':
    case 'last_value': {
      const list = listed({ ...call, name: 'array_agg' }, rel, args, column, made);
      const place = call.name === 'first_value' ? 0 : -1;
      return {
        ...list,
        result: (raw) => list.result(raw)?.at(place) ?? null,
        column: columnOf(call.name, argType),
      };
    }
    case 'array_agg':
    case 'string_agg':
    case 'jsonb_agg':
    case 'json_agg':
    case 'jsonb_object_agg':
    case 'json_object_agg':
      return listed(call, rel, args, column, made);
    default:
      return unsupported(`the aggregate ${call.name}()`);
  }
}

/** What sums and averages are, and what is shown of them. */
export function totalType(name: string, of: string): string {
  if (of === 'interval' || baseOf(of) === 'float') return of;
  if (name === 'sum') return of;
  return of === 'int' && dialect().wholeAverages ? 'int' : 'numeric';
}
export const totalAs =
  (type: string) =>
  (total: number | null): number | null => {
    if (total === null) return null;
    return type === 'int' ? Math.trunc(total) + 0 : baseOf(type) === 'numeric' ? exactly(total) : total;
  };

const BIT_FOLDS: Readonly<Record<string, (l: bigint, r: bigint) => bigint>> = {
  bit_and: (l, r) => l & r,
  bit_or: (l, r) => l | r,
  bit_xor: (l, r) => l ^ r,
};

const textOrNull = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

/** Aggregates of an order: of the values in it, the one in the middle, or the most frequent. */
function ordered(
  call: Call,
  rel: Rel,
  column: NewColumn,
  made: Made,
  args: readonly Compiled[],
): MadeAggregate {
  const [item] = call.order;
  if (item === undefined || call.order.length > 1)
    return unsupported(`SQL: ${call.name}() of several columns`);
  const value = compile(item.e, rel.scope);
  const shares = call.name === 'mode' ? null : args[0]!.of({});
  if (call.name === 'approx_percentile') {
    if (item.descending || Array.isArray(shares)) return unsupported('SQL: approx_percentile() of these');
    const middle = middleOfBucket(args[1]?.of({}) ?? 0.01);
    const middles = column('float', (row) => {
      const number = value.of(row);
      return number === null ? null : middle(number);
    });
    return made(
      'float',
      () => offered('collect')(middles),
      (raw: number[] | null) => raw?.[Math.floor(shares * (raw.length - 1))] ?? null,
      'float[]',
    );
  }
  const id = column(value.type, value.of);
  if (call.name === 'percentile_cont' && !item.descending && !Array.isArray(shares))
    return made('float', () => offered('percentile')(id, shares));
  const at = (raw: any[], share: number): any => {
    if (call.name === 'percentile_disc') return raw[Math.max(0, Math.ceil(share * raw.length) - 1)];
    const place = share * (raw.length - 1);
    const [low, high] = [raw[Math.floor(place)], raw[Math.ceil(place)]];
    return low + (high - low) * (place - Math.floor(place));
  };
  return made(
    Array.isArray(shares) ? `${value.type}[]` : value.type,
    () => offered('collect')(id, { order: item.descending ? 'desc' : 'asc' }),
    (raw: any[] | null) => {
      if (raw === null || raw.length === 0) return null;
      if (call.name === 'mode') return mostFrequent(raw);
      return Array.isArray(shares) ? shares.map((share) => at(raw, share)) : at(raw, shares);
    },
    `${value.type}[]`,
  );
}

/** What a sketch whose buckets grow with their values (DDSketch) takes for a value, so that it is at most `error` of it away. */
function middleOfBucket(error: number): (value: number) => number {
  const growth = (1 + error) / (1 - error);
  return (value) =>
    value === 0
      ? 0
      : (Math.sign(value) * 2 * growth ** Math.ceil(Math.log(Math.abs(value)) / Math.log(growth))) /
        (growth + 1);
}

function mostFrequent(sorted: readonly any[]): any {
  const counts = new Map<unknown, number>();
  for (const value of sorted) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}
