import { generatedRead, generatedRow } from '../../circuit/generated-row.js';
import { Window } from '../../circuit/operators/window.js';
import { TimeZone } from '../../circuit/time-zone.js';
import { WindowTexts } from '../../circuit/window-texts.js';
import type { Windowing } from '../../circuit/windowing.js';
import { windowsOf } from '../../circuit/windows.js';
import { durationText } from '../duration.js';
import type { NodeKind } from '../node-kind.js';
import { both, without } from '../paths.js';
import type { WindowNode } from '../plan.js';
import { WINDOW_COLUMNS } from '../time-relation.js';

export const window: NodeKind<WindowNode> = {
  inputs: (node) => [node.input],
  reads: (node, needed) => [both(without(needed, ...WINDOW_COLUMNS), new Set([node.column]))],
  describe: ({ shape, column }) => ({ shape, column }),
  explain: (node) => ({ what: windowText(node), cost: 'O(|Δ|)', growth: 'none' }),
  compile(node, compiler) {
    const vertex = compiler.vertexOf(node.input);
    return compiler.add('window', new Window(windowing(node), compiler.errorsOf('window')), [vertex]);
  },
};

export function windowing({ input, shape, column }: WindowNode): Windowing {
  const zone = shape.timeZone === null ? null : new TimeZone(shape.timeZone);
  return {
    windows: new WindowTexts(windowsOf(shape, zone)),
    column,
    atOf: generatedRead(column),
    rowOf: generatedRow([
      ...input.relation.columns.map(({ name }) => ({ name, from: { path: name } })),
      ...WINDOW_COLUMNS.map((name, value) => ({ name, from: { value } })),
    ]),
  };
}

function windowText({ shape: { kind, sizeMs, everyMs, offsetMs, timeZone }, column }: WindowNode): string {
  const every = kind === 'tumbling' ? '' : ` every ${durationText(everyMs)}`;
  const offset = offsetMs === 0 ? '' : ` from ${durationText(offsetMs)}`;
  return `${kind} ${durationText(sizeMs)}${every}${offset}${timeZone === null ? '' : ` in ${timeZone}`} by ${column}`;
}
