package process

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	ps "github.com/shirou/gopsutil/v4/process"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

// relist is how often the descendants are looked for: a list of all processes costs milliseconds.
const relist = time.Second

// family counts what a process and its descendants spend where no cgroup counts it: CPU time to the clock tick (10 ms), memory as the sum
// of resident sets, in which shared pages count more than once. What a descendant spent between the last reading and its end is lost.
type family struct {
	root int32

	mu      sync.Mutex
	listed  time.Time
	members map[int32]*member
}

type member struct {
	process *ps.Process
	cpu     time.Duration
	gone    bool
}

func newFamily(pid int) *family { return &family{root: int32(pid), members: map[int32]*member{}} }

// last is the CPU time as it was read last.
func (f *family) last() time.Duration {
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cpu()
}

func (f *family) cpu() time.Duration {
	var sum time.Duration
	for _, m := range f.members {
		sum += m.cpu
	}
	return sum
}

func (f *family) counters(ctx context.Context) (engine.Counters, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.listed) > relist {
		if err := f.list(ctx); err != nil {
			return engine.Counters{}, err
		}
	}
	var resident uint64
	alive := 0
	for _, m := range f.members {
		if m.gone {
			continue
		}
		times, err := m.process.TimesWithContext(ctx)
		if err != nil {
			m.gone = true
			continue
		}
		alive++
		m.cpu = max(m.cpu, time.Duration((times.User+times.System)*float64(time.Second)))
		if info, err := m.process.MemoryInfoWithContext(ctx); err == nil {
			resident += info.RSS
		}
	}
	if alive == 0 {
		return engine.Counters{}, fmt.Errorf("process %d: %w", f.root, fs.ErrNotExist)
	}
	return engine.Counters{At: time.Now(), CPU: f.cpu(), WorkingSet: &resident}, nil
}

// list finds the descendants.
func (f *family) list(ctx context.Context) error {
	all, err := ps.ProcessesWithContext(ctx)
	if err != nil {
		return fmt.Errorf("list the processes of this machine: %w", err)
	}
	children := map[int32][]*ps.Process{}
	for _, p := range all {
		if p.Pid == f.root {
			f.add(p)
		}
		if parent, err := p.PpidWithContext(ctx); err == nil {
			children[parent] = append(children[parent], p)
		}
	}
	for queue := []int32{f.root}; len(queue) > 0; queue = queue[1:] {
		for _, p := range children[queue[0]] {
			f.add(p)
			queue = append(queue, p.Pid)
		}
	}
	f.listed = time.Now()
	return nil
}

func (f *family) add(p *ps.Process) {
	if f.members[p.Pid] == nil {
		f.members[p.Pid] = &member{process: p}
	}
}

// killMarked ends all processes that bear the mark of the race, and of the lane if app is not "": also those that left their process group
// and their parents. It returns when none is left.
func killMarked(ctx context.Context, raceID, app string) error {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	for {
		pids, err := marked(ctx, raceID, app)
		if err != nil {
			return err
		}
		if len(pids) == 0 {
			return nil
		}
		for _, pid := range pids {
			_ = syscall.Kill(int(pid), syscall.SIGKILL) // it may just have ended
		}
		select {
		case <-ctx.Done():
			return race.Errorf(race.Unavailable, "end them by hand", "processes %v of race %s do not end: %w", pids, raceID, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// marked finds processes by their environment; those of other users cannot be read and are not ours.
func marked(ctx context.Context, raceID, app string) ([]int32, error) {
	all, err := ps.PidsWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the processes of this machine: %w", err)
	}
	var found []int32
	for _, pid := range all {
		p := &ps.Process{Pid: pid}
		env, err := p.EnvironWithContext(ctx)
		if err != nil || pid == int32(os.Getpid()) {
			continue
		}
		ofRace, ofLane := false, app == ""
		for _, v := range env {
			ofRace = ofRace || v == raceMark+"="+raceID
			ofLane = ofLane || v == laneMark+"="+app
		}
		if ofRace && ofLane {
			found = append(found, pid)
		}
	}
	return found, nil
}
