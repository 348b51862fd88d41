import { defineConfig } from 'vitest/config';
import config, { long } from './vitest.config.ts';

const { projects: _, ...shared } = config.test ?? {};

/** The tests that `npm test` leaves out. */
export default defineConfig({ ...config, test: { ...shared, include: long } });
