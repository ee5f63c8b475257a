import { StillwaterError } from '../errors/stillwater-error.js';
import type { DescribedType } from '../runtime/reading/view-description.js';
import { decimalText, plainDecimalText } from '../zset/decimal.js';
import { canonical, type Value } from '../zset/value.js';

/** Date-times need an offset or `Z`; dates alone stand for their first instant in UTC. */
const INSTANT = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2}))?$/i;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/i;

/** A text of a query or path as a value of a column's type. @throws StillwaterError `malformed-value` */
export function coerceValue(name: string, type: DescribedType, text: string): Value {
  switch (type.kind) {
    case 'string':
      if (type.format === 'decimal') {
        // What the column has no place for equals none of its values, and compares with all of them.
        const value = decimalText(text, type.scale) ?? plainDecimalText(text);
        if (value !== null) return value;
        throw malformed(name, text, 'a number such as 12.50');
      }
      if (type.format !== 'instant') return text;
      if (INSTANT.test(text)) {
        const ms = Date.parse(text.replace(' ', 'T'));
        if (!Number.isNaN(ms)) return new Date(ms).toISOString();
      }
      throw malformed(name, text, 'a date-time such as 2001-01-01T05:00:00Z');
    case 'number': {
      const value = NUMBER.test(text) ? Number(text) : NaN;
      if (!Number.isFinite(value)) throw malformed(name, text, type.integer ? 'a whole number' : 'a number');
      return value + 0;
    }
    case 'boolean':
      if (text === 'true') return true;
      if (text === 'false') return false;
      throw malformed(name, text, 'true or false');
    case 'enum': {
      const value = type.values.find((each) => String(each) === text);
      if (value === undefined) throw malformed(name, text, `one of ${type.values.join(', ')}`);
      return value;
    }
    case 'array':
    case 'object':
      try {
        return canonical(JSON.parse(text));
      } catch {
        throw malformed(name, text, 'JSON');
      }
    case 'json':
      try {
        return canonical(JSON.parse(text));
      } catch {
        return text;
      }
  }
}

function malformed(name: string, text: string, wanted: string): StillwaterError {
  return new StillwaterError('malformed-value', {
    what: `"${name}" takes ${wanted}.`,
    evidence: `given  ${text.slice(0, 200) || '(nothing)'}`,
    consequence: 'Nothing was read.',
    remedy: 'Correct the value.',
  });
}
