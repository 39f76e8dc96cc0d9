-- What became of each time at which a schedule was due.
CREATE TABLE ticks (
  schedule TEXT NOT NULL,
  due      INTEGER NOT NULL, -- microseconds since 1970 in UTC
  outcome  TEXT NOT NULL,
  race     TEXT,             -- the id of the race that was started; it may have been removed since
  detail   TEXT NOT NULL,
  PRIMARY KEY (schedule, due)
) STRICT, WITHOUT ROWID;
