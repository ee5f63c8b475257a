import { taskName, taskNamed } from '../../src/runtime/task-id.js';

describe('the name of a task', () => {
  it.each(['shops', 'a view/1.2#3', '#'])('says which one it is, of a view named "%s"', (view) => {
    const task = { view, generation: 12, stage: 3, partition: 40 };
    expect(taskNamed(taskName(task))).toEqual(task);
  });

  it.each(['', 'shops', 'shops#1', 'shops#1/0', '#1/0.0', 'shops#1/0.0 '])('is not "%s"', (name) => {
    expect(taskNamed(name)).toBeNull();
  });
});
