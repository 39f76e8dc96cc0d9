-- Times are microseconds since 1970 in UTC. race.json is kept as it is told, so that a list is read without being taken apart.
CREATE TABLE scripts (
  sha256 TEXT PRIMARY KEY,
  text   TEXT NOT NULL
) STRICT;

CREATE TABLE races (
  seq           INTEGER PRIMARY KEY AUTOINCREMENT, -- the order in which races were accepted, whatever the clock did
  id            TEXT NOT NULL UNIQUE,
  name          TEXT NOT NULL,
  status        TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  user          TEXT NOT NULL,
  org           TEXT NOT NULL,
  script        TEXT NOT NULL,
  script_sha256 TEXT REFERENCES scripts (sha256),  -- null for an imported record without its script
  request       TEXT,                              -- null for an imported record
  record        TEXT NOT NULL,                     -- race.json
  stop_by       TEXT,                              -- who asked for its end; null if nobody did
  idem_key      TEXT UNIQUE,
  idem_hash     TEXT,
  idem_answer   TEXT
) STRICT;

CREATE INDEX races_by_time ON races (created_at DESC, seq DESC);
CREATE INDEX races_by_status ON races (status, created_at DESC, seq DESC);
CREATE INDEX races_by_name ON races (name, created_at DESC, seq DESC);

CREATE TABLE changes (
  race   INTEGER NOT NULL REFERENCES races (seq) ON DELETE CASCADE,
  at     INTEGER NOT NULL,
  status TEXT NOT NULL,
  cause  TEXT NOT NULL
) STRICT;
CREATE INDEX changes_by_race ON changes (race);

CREATE TABLE logs (
  race  INTEGER NOT NULL REFERENCES races (seq) ON DELETE CASCADE,
  app   TEXT NOT NULL,
  lines TEXT NOT NULL, -- a JSON list
  PRIMARY KEY (race, app)
) STRICT;
