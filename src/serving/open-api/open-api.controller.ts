import { Controller, Get, UseFilters } from '@nestjs/common';
import { OpenApi } from './open-api.js';
import { ProblemFilter } from '../problem.filter.js';

@Controller()
@UseFilters(ProblemFilter)
export class OpenApiController {
  constructor(private readonly openApi: OpenApi) {}

  @Get('openapi.json')
  document() {
    return this.openApi.document();
  }
}
