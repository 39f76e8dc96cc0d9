// Watches which environment variables a script reads. It must be imported before the script: modules run in the order of their imports.
// "*" stands for a look at all names at once.
export const reads = [];

const note = (name) => {
  if (typeof name === 'string' && !reads.includes(name)) reads.push(name);
};

globalThis.__ENV = new Proxy(globalThis.__ENV, {
  get(env, name) { note(name); return env[name]; },
  has(env, name) { note(name); return name in env; },
  ownKeys(env) { note('*'); return Reflect.ownKeys(env); },
});
