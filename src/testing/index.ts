/** For the tests of an application's views: `import { given } from 'stillwater/testing'`. No Redis, no service, any test runner. */
export {
  Expectation,
  expectConverges,
  given,
  History,
  type ConvergenceOptions,
  type ExpectOptions,
  type KeyValue,
} from './test-view.js';
