import { describe, expect, it } from 'vitest';
import { sqlRole } from '../../../src/arguments/roles/sql.ts';
import { sqlDialects } from '../../../src/sql/query.ts';
import { honestQueries } from './sql-honest-queries.ts';
import '../../support/sql-grammars.ts';

describe('honest queries', () => {
  it('are at least 150, some in every dialect', () => {
    expect(honestQueries.length).toBeGreaterThan(300);
    for (const dialect of sqlDialects) {
      expect(honestQueries.filter((query) => query.dialect === dialect).length).toBeGreaterThan(35);
    }
  });

  it('pass with nothing declared but the dialect: none is refused', () => {
    const refused = honestQueries.flatMap(({ dialect, sql }) => {
      const fault = sqlRole.compile(sqlRole.options.parse({ dialect })).judge(sql);
      return fault === undefined ? [] : [{ dialect, sql, fault: fault.fault }];
    });
    expect(refused).toEqual([]);
  });
});
