import { taskStoreContract } from './task-store.contract.js';

taskStoreContract();
