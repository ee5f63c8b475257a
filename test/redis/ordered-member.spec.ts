import fc from 'fast-check';
import {
  decodeMember,
  encodeGroup,
  encodeMember,
  memberRange,
  rangeOf,
} from '../../src/redis/ordered-member.js';
import { compareText } from '../../src/zset/text-order.js';

const text = fc.oneof(
  fc.string({ unit: 'binary' }).filter((value) => value.isWellFormed()),
  fc.string({ unit: fc.constantFrom('\u0000', '\u0001', '\u0002', '0', '1', 'a', '\uffff', '😀') }),
);
const weight = fc.integer({ min: 1, max: 1_000_000 });
const within = (member: string, [from, to]: [string, string]): boolean =>
  compareText(member, from.slice(1)) >= 0 && compareText(member, to.slice(1)) < 0;

describe('a member of an ordered state', () => {
  it('comes back as it was, whatever texts it is made of', () => {
    fc.assert(
      fc.property(text, text, weight, (group, member, times) =>
        expect(decodeMember(encodeMember(encodeGroup(group), member, times))).toEqual([member, times]),
      ),
    );
  });

  it('keeps its order, whatever its weight', () => {
    fc.assert(
      fc.property(text, text, text, weight, weight, (group, left, right, a, b) => {
        if (left === right) return;
        expect(
          Math.sign(
            compareText(
              encodeMember(encodeGroup(group), left, a),
              encodeMember(encodeGroup(group), right, b),
            ),
          ),
        ).toBe(Math.sign(compareText(left, right)));
      }),
    );
  });

  it('lies in the range of its group and of itself, and in no other', () => {
    fc.assert(
      fc.property(text, text, text, text, weight, (group, member, otherGroup, otherMember, times) => {
        const encoded = encodeMember(encodeGroup(group), member, times);
        expect(within(encoded, rangeOf(group, '', null))).toBe(true);
        expect(within(encoded, memberRange(group, member))).toBe(true);
        if (otherGroup !== group) expect(within(encoded, rangeOf(otherGroup, '', null))).toBe(false);
        if (otherMember !== member) expect(within(encoded, memberRange(group, otherMember))).toBe(false);
      }),
    );
  });

  it('lies in the ranges of its group that hold it, and in no others, whatever its weight', () => {
    fc.assert(
      fc.property(text, text, text, weight, (group, member, bound, times) => {
        const encoded = encodeMember(encodeGroup(group), member, times);
        const below = compareText(member, bound) < 0;
        expect(within(encoded, rangeOf(group, '', bound))).toBe(below);
        expect(within(encoded, rangeOf(group, bound, null))).toBe(!below);
        expect(within(encoded, rangeOf(group, '', `${member}\0`))).toBe(true);
      }),
    );
  });
});
