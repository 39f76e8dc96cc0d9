CREATE TABLE profiles (
  race  INTEGER NOT NULL REFERENCES races (seq) ON DELETE CASCADE,
  app   TEXT NOT NULL,
  kind  TEXT NOT NULL, -- cpu or heap
  pprof BLOB NOT NULL,
  PRIMARY KEY (race, app, kind)
) STRICT;
