// Package cadvisor is cAdvisor inside the runner's own process, made of cAdvisor's own library: it reads the cgroups below one prefix
// and shows them as the container_* series that every Grafana dashboard for containers knows. It needs neither Docker nor a container.
//
// Two things differ from a stand-alone cAdvisor, both for the sake of a race. A sample is taken when it is asked for, not up to an
// interval earlier, and carries the time at which it was taken. And a cgroup that goes while it is read costs its own samples only,
// not those of all others.
//
// cAdvisor keeps its container factories, its intervals and its inotify threads in variables of the process, and its Stop ends neither
// the reading of containers nor the threads. So there is one manager for a process, started with the first Server and never stopped:
// it sleeps while no cgroup is below its parent folder. Servers are views of it, and there may be many, one after another or at once.
package cadvisor
