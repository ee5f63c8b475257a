/**
 * `import 'stillwater'` of view modules that are loaded as TypeScript: they get the one copy of the package that is
 * running, which `load-views` puts here. A second copy would know neither its classes nor what it has registered.
 */
export = (globalThis as unknown as Record<symbol, unknown>)[Symbol.for('stillwater.index')];
