import { defineConfig } from 'vitest/config';
import config from './vitest.config.ts';

const { projects: _, ...shared } = config.test ?? {};

/** The tests that `npm run test:cuda` runs, which prepares what they need. */
export default defineConfig({ ...config, test: { ...shared, include: ['test/cuda/**/*.cuda.ts'] } });
