import type { INestApplication } from '@nestjs/common';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { OpenApi } from './open-api.js';

/** Serves the description at `/docs` for people, from files of this installation. Call it before the application is initialised. */
export function mountDocs(app: INestApplication): void {
  const document = (): OpenAPIObject => app.get(OpenApi).document() as unknown as OpenAPIObject;
  const empty: OpenAPIObject = { openapi: '3.0.3', info: { title: 'Stillwater', version: '1' }, paths: {} };
  SwaggerModule.setup('docs', app, empty, {
    raw: false,
    customSiteTitle: 'Stillwater',
    patchDocumentOnRequest: document,
    swaggerOptions: { docExpansion: 'none', validatorUrl: null },
  });
  // Whoever opens the address that the service has printed.
  const adapter = app.getHttpAdapter();
  adapter.get('/', (_: unknown, reply: FastifyReply) => void reply.redirect('/docs'));
}
