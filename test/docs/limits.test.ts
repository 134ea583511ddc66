import { describe, expect, test } from 'vitest';
import { bounds, paces } from '../../scripts/docs/bounds.ts';
import { boundOptions, boundReference, isAbout } from '../../scripts/docs/reference.ts';
import { errorTable } from '../../src/errors.ts';
import { metricDefinitions } from '../../src/observe/metric-definitions.ts';
import { boundNames } from '../../src/pipeline/bounds.ts';
import { firstCells, generatedPart, read } from './pages.ts';

const page = read('docs/limits.md');
const options = boundOptions().map(({ path }) => path);

describe('docs/limits.md', () => {
  test('there is much to tell', () => {
    expect(options.length).toBeGreaterThan(80);
    expect(options).toContain('limits.sessions.perPrincipal');
    expect(options).toContain('upstreams[].http.timeouts.total');
  });

  test('every option that is a size, a time or a number bounds one thing, or is no bound', () => {
    const told = new Map(
      options.map((path) => [
        path,
        bounds.filter(({ keys }) => isAbout(keys, path)).length + (isAbout(paces, path) ? 1 : 0),
      ]),
    );
    expect([...told].filter(([, times]) => times !== 1)).toEqual([]);
  });

  test('nothing is told of an option that is none', () => {
    const named = [...bounds.flatMap(({ keys }) => keys), ...paces];
    expect(named.filter((key) => !options.some((path) => isAbout([key], path)))).toEqual([]);
  });

  test('has a row for each bound, with a default, and what tells or counts it', () => {
    const part = generatedPart(page, 'bounds');
    expect(firstCells(part)).toEqual(
      bounds.flatMap(({ keys }) => options.filter((path) => isAbout(keys, path))),
    );
    expect(part.trim()).toBe(boundReference());
    const silent = bounds.filter(({ codes = [], metrics = [], beyond }) => {
      const isQuiet = /connection is closed\. Nobody|beside the call|HTTP\/2 itself|says so\.$/.test(beyond);
      return codes.length + metrics.length === 0 && !isQuiet;
    });
    expect(silent.map(({ keys }) => keys)).toEqual([]);
  });

  test('names codes and metrics that exist', () => {
    const names = [...page.matchAll(/\bsallyport_[a-z_]+/g)].map(([name]) => name);
    const known = new Set(metricDefinitions.map(({ name }) => name));
    expect(names.filter((name) => !known.has(name))).toEqual([]);
    const codes = bounds.flatMap(({ codes = [] }) => codes);
    expect(codes.filter((code) => !(code in errorTable))).toEqual([]);
  });

  test('explains each word of the metric of bounds', () => {
    const [, part] = page.split('## Words of `sallyport_bounds_total`');
    expect(firstCells(part!.split('\n## ')[0]!)).toEqual([...boundNames]);
  });
});
