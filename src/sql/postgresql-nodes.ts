/**
 * The nodes of PostgreSQL's raw parse tree that may stand in an allowed statement, with the fields that they may have.
 * What is not in this table refuses, so that a grammar of a later version opens nothing. Left out on purpose:
 * `intoClause` (SELECT INTO), `lockingClause` (FOR UPDATE), sampling methods and XMLTABLE (they call functions by name),
 * MERGE, and every utility statement.
 *
 * After a field: nothing for a plain value, `*` for a node or a list of nodes, `:Name` for a node of that type.
 */
const table: Readonly<Record<string, string>> = {
  SelectStmt:
    'distinctClause* targetList* fromClause* whereClause* groupClause* groupDistinct havingClause* windowClause* ' +
    'valuesLists* sortClause* limitOffset* limitCount* limitOption withClause:WithClause op all larg:SelectStmt ' +
    'rarg:SelectStmt',
  InsertStmt:
    'relation:RangeVar cols* selectStmt* onConflictClause:OnConflictClause returningClause:ReturningClause ' +
    'withClause:WithClause override',
  UpdateStmt:
    'relation:RangeVar targetList* whereClause* fromClause* returningClause:ReturningClause withClause:WithClause',
  DeleteStmt:
    'relation:RangeVar usingClause* whereClause* returningClause:ReturningClause withClause:WithClause',
  OnConflictClause: 'action infer:InferClause targetList* whereClause* location',
  InferClause: 'indexElems* whereClause* conname location',
  IndexElem: 'name expr* indexcolname collation* ordering nulls_ordering location',
  ReturningClause: 'options* exprs*',
  ReturningOption: 'option value location',
  WithClause: 'ctes* recursive location',
  CommonTableExpr:
    'ctename aliascolnames* ctematerialized ctequery* search_clause:CTESearchClause cycle_clause:CTECycleClause ' +
    'location cterecursive',
  CTESearchClause: 'search_col_list* search_breadth_first search_seq_column location',
  CTECycleClause:
    'cycle_col_list* cycle_mark_column cycle_mark_value* cycle_mark_default* cycle_path_column location',
  ResTarget: 'name indirection* val* location',
  MultiAssignRef: 'source* colno ncolumns',
  ColumnRef: 'fields* location',
  ParamRef: 'number location',
  A_Expr: 'kind name* lexpr* rexpr* rexpr_list_start rexpr_list_end location',
  A_Const: 'ival:Integer fval:Float boolval:Boolean sval:String bsval:BitString isnull location',
  Integer: 'ival',
  Float: 'fval',
  Boolean: 'boolval',
  String: 'sval',
  BitString: 'bsval',
  List: 'items*',
  TypeCast: 'arg* typeName:TypeName location',
  TypeName: 'names* typmods* typemod arrayBounds* location',
  CollateClause: 'arg* collname* location',
  FuncCall:
    'funcname* args* agg_order* agg_filter* over:WindowDef agg_within_group agg_star agg_distinct func_variadic ' +
    'funcformat location',
  A_Star: '',
  A_Indices: 'is_slice lidx* uidx*',
  A_Indirection: 'arg* indirection*',
  A_ArrayExpr: 'elements* list_start list_end location',
  SortBy: 'node* sortby_dir sortby_nulls location',
  WindowDef: 'name refname partitionClause* orderClause* frameOptions startOffset* endOffset* location',
  RangeSubselect: 'lateral subquery* alias:Alias',
  RangeFunction: 'lateral ordinality is_rowsfrom functions* alias:Alias coldeflist*',
  RangeVar: 'catalogname schemaname relname inh relpersistence alias:Alias location',
  ColumnDef: 'colname typeName:TypeName is_local location',
  JoinExpr: 'jointype isNatural larg* rarg* usingClause* join_using_alias:Alias quals* alias:Alias rtindex',
  Alias: 'aliasname colnames*',
  GroupingSet: 'kind content* location',
  GroupingFunc: 'args* location',
  BoolExpr: 'boolop args* location',
  NullTest: 'arg* nulltesttype argisrow location',
  BooleanTest: 'arg* booltesttype location',
  CaseExpr: 'arg* args* defresult* location',
  CaseWhen: 'expr* result* location',
  CoalesceExpr: 'args* location',
  MinMaxExpr: 'op args* location',
  SubLink: 'subLinkType subLinkId testexpr* operName* subselect* location',
  SQLValueFunction: 'op typmod location',
  RowExpr: 'args* row_format location',
  NamedArgExpr: 'arg* name argnumber location',
  SetToDefault: 'location',
  JsonFuncExpr:
    'op column_name context_item:JsonValueExpr pathspec* passing* output:JsonOutput on_empty:JsonBehavior ' +
    'on_error:JsonBehavior wrapper quotes location',
  JsonValueExpr: 'raw_expr* format:JsonFormat',
  JsonOutput: 'typeName:TypeName returning:JsonReturning',
  JsonReturning: 'format:JsonFormat',
  JsonFormat: 'format_type encoding location',
  JsonBehavior: 'btype expr* coerce location',
  JsonArgument: 'val:JsonValueExpr name',
  JsonTable:
    'context_item:JsonValueExpr pathspec:JsonTablePathSpec passing* columns* on_error:JsonBehavior alias:Alias ' +
    'lateral location',
  JsonTableColumn:
    'coltype name typeName:TypeName pathspec:JsonTablePathSpec format:JsonFormat wrapper quotes columns* ' +
    'on_empty:JsonBehavior on_error:JsonBehavior location',
  JsonTablePathSpec: 'string* name name_location location',
  JsonObjectConstructor: 'exprs* output:JsonOutput absent_on_null unique location',
  JsonArrayConstructor: 'exprs* output:JsonOutput absent_on_null location',
  JsonArrayQueryConstructor: 'query* output:JsonOutput format:JsonFormat absent_on_null location',
  JsonAggConstructor: 'output:JsonOutput agg_filter* agg_order* over:WindowDef location',
  JsonObjectAgg: 'constructor:JsonAggConstructor arg:JsonKeyValue absent_on_null unique',
  JsonArrayAgg: 'constructor:JsonAggConstructor arg:JsonValueExpr absent_on_null',
  JsonKeyValue: 'key* value:JsonValueExpr',
  JsonIsPredicate: 'expr* format:JsonFormat item_type unique_keys location',
  JsonParseExpr: 'expr:JsonValueExpr output:JsonOutput unique_keys location',
  JsonScalarExpr: 'expr* output:JsonOutput location',
  JsonSerializeExpr: 'expr:JsonValueExpr output:JsonOutput location',
};

/** A plain value, one or more wrapped nodes, or a bare node of a named type. */
export type Field = 'value' | 'nodes' | { readonly type: string };

/** Fields by node type. */
export const postgresNodes: ReadonlyMap<string, ReadonlyMap<string, Field>> = new Map(
  Object.entries(table).map(([type, fields]) => [
    type,
    new Map(fields.split(' ').filter(Boolean).map(toField)),
  ]),
);

function toField(text: string): [string, Field] {
  const [name, type] = text.split(':');
  if (type !== undefined) return [name!, { type }];
  return text.endsWith('*') ? [text.slice(0, -1), 'nodes'] : [text, 'value'];
}
