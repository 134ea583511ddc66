/** Words that begin or join parts of a query: never a name, never a function. */
export const structural: ReadonlySet<string> = words(`
  SELECT FROM WHERE GROUP HAVING QUALIFY ORDER BY LIMIT UNION INTERSECT EXCEPT JOIN INNER CROSS NATURAL ON USING AS
  AND OR NOT IN IS LIKE ILIKE BETWEEN CASE WHEN THEN ELSE END DISTINCT WITH INTO FOR INSERT UPDATE DELETE MERGE CREATE
  ALTER DROP TRUNCATE GRANT REVOKE CALL EXEC EXECUTE DECLARE SET TABLE VALUES LATERAL PROCEDURE TABLESAMPLE`);

/** Functions that have the name of a structural word. */
export const callableWords: ReadonlySet<string> = words('VALUES INSERT TRUNCATE');

/**
 * Words that are never an alias without AS: each ends or opens something in one of the dialects. Transact-SQL needs no
 * semicolon between statements, so every word that is a whole statement there must be here, or `SELECT 1 SHUTDOWN`
 * would be read as a column called `shutdown`.
 */
const reserved: ReadonlySet<string> = words(`
  ADD ALL ANALYZE ANY ASC ASOF AT BACKUP BEFORE BEGIN BREAK BROWSE BULK CHANGES CHECKPOINT CLOSE CLUSTER COLLATE COMMIT
  COMPUTE CONNECT CONTINUE CURSOR DBCC DEALLOCATE DENY DESC DESCRIBE DISABLE DISTINCTROW DISK DISTRIBUTE DIV DO DUMP
  ENABLE ESCAPE EXISTS EXIT EXPLAIN EXPORT FETCH FILTER FORCE FULL FUNCTION GET GO GOTO HANDLER HOLDLOCK IF IGNORE
  INSTALL INTERVAL KEY KILL LEFT LINENO LOAD LOCK MATCH_CONDITION MATCH_RECOGNIZE MINUS MOD MOVE NULL OF OFF OFFSET OFFSETS OPEN
  OPTION OUTER OUTFILE OVER PARTITION PIVOT PRINT PROC PURGE QUALIFY RAISERROR READ READTEXT RECEIVE RECONFIGURE
  REGEXP RENAME RELEASE REPEAT REPLACE RESIGNAL RESPECT RESTORE RETURN RETURNING REVERT RIGHT RLIKE ROLLBACK SAMPLE
  SAVE SAVEPOINT SEND SEPARATOR SETUSER SHOW SHUTDOWN SIGNAL SOME START STATISTICS STOP STRAIGHT_JOIN THROW TOP TRAN
  TRANSACTION TRIGGER UNLOCK UNPIVOT UPDATETEXT USE WAITFOR WHILE WINDOW WITHIN WRITETEXT XOR`);

export function mayBeName(key: string): boolean {
  return !structural.has(key);
}

export function mayBeBareAlias(key: string): boolean {
  return !structural.has(key) && !reserved.has(key);
}

/** Words that call a function without brackets. */
export const bareCalls: ReadonlySet<string> = words(`
  CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_DATETIME LOCALTIME LOCALTIMESTAMP UTC_DATE UTC_TIME UTC_TIMESTAMP
  SYSDATE CURRENT_USER SESSION_USER SYSTEM_USER USER CURRENT_ROLE CURRENT_ACCOUNT CURRENT_DATABASE CURRENT_SCHEMA
  CURRENT_WAREHOUSE CURRENT_SESSION CURRENT_STATEMENT CURRENT_TRANSACTION CURRENT_CATALOG`);

/** Types that stand before a string to make a literal of it. */
export const literalTypes: ReadonlySet<string> = words(
  'DATE TIME TIMESTAMP DATETIME JSON NUMERIC DECIMAL BIGNUMERIC BIGDECIMAL RANGE BINARY',
);

/** Units of an interval. */
export const units: ReadonlySet<string> = words(`
  MICROSECOND MILLISECOND SECOND MINUTE HOUR DAY WEEK ISOWEEK MONTH QUARTER YEAR ISOYEAR SECOND_MICROSECOND
  MINUTE_MICROSECOND MINUTE_SECOND HOUR_MICROSECOND HOUR_SECOND HOUR_MINUTE DAY_MICROSECOND DAY_SECOND DAY_MINUTE
  DAY_HOUR YEAR_MONTH MICROSECONDS MILLISECONDS SECONDS MINUTES HOURS DAYS WEEKS MONTHS QUARTERS YEARS`);

/** Operators that are words, between two operands. */
export const wordOperators: ReadonlySet<string> = words(
  'AND OR XOR DIV MOD LIKE ILIKE RLIKE REGEXP BETWEEN IN ESCAPE',
);

/** Operators that are marks, between two operands. */
export const markOperators: ReadonlySet<string> = words(
  '+ - * / % = < > <= >= <> != !< !> <=> || && << >> & | ^ -> ->> =>',
);

/** What may go on in the type behind its first word. */
export const typeWords: ReadonlySet<string> = words(
  'UNSIGNED SIGNED INTEGER INT PRECISION VARYING CHARACTER CHARSET ZEROFILL BINARY ARRAY',
);

/** Table hints of Transact-SQL that lock nothing for longer than the read, or less than by default. */
export const tableHints: ReadonlySet<string> = words(
  'NOLOCK READUNCOMMITTED READPAST READCOMMITTED NOEXPAND',
);

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/).filter(Boolean));
}
