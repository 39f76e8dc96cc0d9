// Package pipeline tells a race to a build pipeline: as Markdown for a pull request or a job's summary, and as JUnit XML for its list of tests.
package pipeline
