import { fastify } from 'fastify';
import { tellAllowedMethods } from '../../src/serving/allowed-methods.js';

it('a path is not known for being answered to OPTIONS, as an application with CORS answers all of them', async () => {
  const app = fastify();
  tellAllowedMethods(app);
  app.options('*', () => '');
  app.get('/known', () => '');
  const statusOf = async (method: 'GET' | 'POST' | 'OPTIONS', url: string) =>
    (await app.inject({ method, url })).statusCode;
  expect(await statusOf('GET', '/nowhere')).toBe(404);
  expect(await statusOf('POST', '/known')).toBe(405);
  expect(await statusOf('OPTIONS', '/known')).toBe(200);
  await app.close();
});
