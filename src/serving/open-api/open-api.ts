import { Injectable } from '@nestjs/common';
import { Reading } from '../../runtime/reading/reading.js';
import { describeView, descriptionOf } from '../../runtime/reading/view-description.js';
import { ResolvedServingOptions } from '../serving-options.js';
import { HEADERS, PARAMETERS, SCHEMAS } from './components.js';
import { GENERAL_PATHS } from './general-paths.js';
import type { JsonSchema } from './json-schema.js';
import { sourcePaths } from './source-paths.js';
import { viewPaths } from './view-paths.js';

/**
 * The description of the HTTP surface. Beside the routes for any view it has one set for each view, stream and table, with
 * its own columns; made anew for each request, from what is served and declared at the moment.
 */
@Injectable()
export class OpenApi {
  constructor(
    private readonly reading: Reading,
    private readonly options: ResolvedServingOptions,
  ) {}

  document(): JsonSchema {
    const schemas: Record<string, JsonSchema> = { ...SCHEMAS };
    const paths: Record<string, JsonSchema> = { ...GENERAL_PATHS };
    const { views } = this.reading;
    for (const name of views.names()) {
      const declared = views.catalog.views.get(name);
      const served = views.find(name)?.generation ?? views.generations(name)[0];
      const description = served ? descriptionOf(served) : declared ? describeView(declared) : null;
      if (description) Object.assign(paths, viewPaths(name, description, this.options.limits, schemas));
    }
    for (const source of [...views.catalog.streams.values(), ...views.catalog.tables.values()])
      Object.assign(paths, sourcePaths(source, schemas));
    return {
      openapi: '3.0.3',
      info: { title: 'Stillwater', version: '1', description: 'Materialized views over Redis Streams.' },
      servers: [{ url: '/' }],
      tags: [
        { name: 'views' },
        { name: 'streams' },
        { name: 'tables' },
        { name: 'rebuilds' },
        { name: 'service' },
      ],
      paths,
      components: {
        schemas,
        headers: HEADERS,
        parameters: PARAMETERS,
        securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      },
    };
  }
}
