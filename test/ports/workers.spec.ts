import { workersContract } from './workers.contract.js';

workersContract();
