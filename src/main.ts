#!/usr/bin/env node
import './cli/stillwater.js';
