import type { NodeKind } from '../node-kind.js';
import type { IntersectNode } from '../plan.js';
import { comparing } from './comparing.js';

export const intersect: NodeKind<IntersectNode> = comparing('intersect', 'the rows that are in both');
