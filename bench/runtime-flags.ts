/** The V8 flags under which `npm start` runs the service: everything that is measured here runs under them too. */
export const RUNTIME_FLAGS: readonly string[] = ['--min-semi-space-size=32', '--max-semi-space-size=128'];
