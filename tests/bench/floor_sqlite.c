/* The cheapest reader of two databases: opens each, reads one row, prints how long both are. It is
   linked to the SQLite that the program has; the header of that is not at hand. */
#include <stdio.h>

typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
int sqlite3_open_v2(const char *, sqlite3 **, int, const char *);
int sqlite3_prepare_v2(sqlite3 *, const char *, int, sqlite3_stmt **, const char **);
int sqlite3_step(sqlite3_stmt *);
int sqlite3_column_bytes(sqlite3_stmt *, int);
int sqlite3_finalize(sqlite3_stmt *);
int sqlite3_close(sqlite3 *);
enum { SQLITE_ROW = 100, SQLITE_OPEN_READONLY = 1, SQLITE_OPEN_NOMUTEX = 0x8000 };

static int row(const char *path, const char *query, int *size) {
    sqlite3 *database;
    sqlite3_stmt *statement;
    int failed = sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, 0);
    if (!failed) failed = sqlite3_prepare_v2(database, query, -1, &statement, 0);
    if (!failed && sqlite3_step(statement) == SQLITE_ROW) *size = sqlite3_column_bytes(statement, 0);
    if (!failed) sqlite3_finalize(statement);
    sqlite3_close(database);
    return failed;
}

int main(int count, char **argument) {
    int shared = 0, own = 0;
    if (count != 3) return 2;
    if (row(argument[1], "SELECT value_json FROM config_machine_state WHERE state_key = 'authProfiles.store'", &shared))
        return 1;
    if (row(argument[2], "SELECT store_json FROM auth_profile_store WHERE store_key = 'primary'", &own)) return 1;
    printf("%d\n", shared + own);
    return 0;
}
