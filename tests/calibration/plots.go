package main

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	vgdraw "gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// The size of a panel of a plot, two of which go side by side.
const (
	panelWidth  = 13 * vg.Centimeter
	panelHeight = 8 * vg.Centimeter
)

// draw writes the plots of docs/verdict.md into a folder.
func (c Calibration) draw(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // part of the documentation
		return fmt.Errorf("make the folder of the plots: %w", err)
	}
	power := make([]*plot.Plot, len(minimums))
	for i, e := range minimums {
		p, err := c.powerPlot(e)
		if err != nil {
			return err
		}
		power[i] = p
	}
	coverage, err := c.coveragePlot()
	if err != nil {
		return err
	}
	alarms, err := c.alarmsPlot()
	if err != nil {
		return err
	}
	for name, panels := range map[string][]*plot.Plot{"power": power, "coverage": {coverage}, "false-alarms": {alarms}} {
		if err := writePlot(filepath.Join(folder, "calibration-"+name+".svg"), panels); err != nil {
			return err
		}
	}
	return nil
}

// writePlot draws panels side by side.
func writePlot(path string, panels []*plot.Plot) error {
	canvas := vgsvg.New(panelWidth*vg.Length(len(panels)), panelHeight)
	page := vgdraw.New(canvas)
	page.SetColor(color.White) // also on a dark page
	page.Fill(page.Path())
	tiles := vgdraw.Tiles{Rows: 1, Cols: len(panels), PadX: vg.Millimeter * 4}
	for i, c := range plot.Align([][]*plot.Plot{panels}, tiles, page)[0] {
		panels[i].Draw(c)
	}
	var text bytes.Buffer
	if _, err := canvas.WriteTo(&text); err != nil {
		return fmt.Errorf("draw %s: %w", path, err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil { //nolint:gosec // part of the documentation
		return fmt.Errorf("draw %s: %w", path, err)
	}
	return nil
}

func panel(title, x, y string) *plot.Plot {
	plot.DefaultFont.Variant = "Sans"
	p := plot.New()
	p.Legend.Padding, p.Legend.YOffs = vg.Millimeter/2, -vg.Millimeter
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.Padding = vg.Millimeter
	p.Y.Min, p.Y.Max = 0, 100
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{230}, color.Gray{230}
	p.Add(grid)
	return p
}

// style is a line's colour and dashes, those that apps have in all of our views.
func style(i int) vgdraw.LineStyle {
	livery := scoreboard.Livery{Apps: []string{"a", "b", "c", "d", "e", "f"}}
	app := livery.Apps[i]
	s := vgdraw.LineStyle{Color: rgb(livery.Colour(app)), Width: vg.Points(1.5)}
	for _, d := range livery.Dash(app) {
		s.Dashes = append(s.Dashes, vg.Points(float64(d)))
	}
	return s
}

func rgb(c scoreboard.Colour) color.RGBA { return color.RGBA{R: c.R, G: c.G, B: c.B, A: 255} }

// powerPlot shows how often a slowdown of the p95 is called slower, by its size.
func (c Calibration) powerPlot(minimum float64) (*plot.Plot, error) {
	p := panel(fmt.Sprintf("minimum effect %.0f%%", 100*minimum), "true slowdown of the p95", "called slower, % of the races")
	var marks plot.ConstantTicks
	for i, r := range ratios[1:] {
		marks = append(marks, plot.Tick{Value: float64(i), Label: fmt.Sprintf("%.0f%%", 100*(r-1))})
	}
	p.X.Tick.Marker = marks
	p.Legend.Top, p.Legend.Left = true, true
	for w, first := range c.at(ratios[1], minimum) {
		var points plotter.XYs
		for i, r := range ratios[1:] {
			for _, cell := range c.at(r, minimum) {
				if cell.World == first.World {
					points = append(points, plotter.XY{X: float64(i), Y: cell.share(cell.P95.Slower)})
				}
			}
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, fmt.Errorf("plot the power in the world %s: %w", first.World, err)
		}
		line.LineStyle = style(w)
		dots.Color, dots.Shape, dots.Radius = line.Color, vgdraw.CircleGlyph{}, vg.Points(2)
		p.Add(line, dots)
		p.Legend.Add(first.World, line)
	}
	return p, nil
}

// coveragePlot shows how often the 95% interval of the p95 of two identical apps holds the truth, with the 95% interval of that share.
func (c Calibration) coveragePlot() (*plot.Plot, error) {
	p := panel("two identical apps", "", "interval holds the truth, % of the races")
	p.Y.Min, p.Y.Max = 92, 98
	cells := c.at(1, minimums[0])
	var values errorBars
	for i, cell := range cells {
		low, high := wilson(cell.P95.Covered, cell.Races)
		share := cell.share(cell.P95.Covered)
		values.XYs = append(values.XYs, plotter.XY{X: float64(i), Y: share})
		values.YErrors = append(values.YErrors, struct{ Low, High float64 }{100*low - share, 100*high - share})
	}
	bars, err := plotter.NewYErrorBars(values)
	if err != nil {
		return nil, fmt.Errorf("plot the coverage: %w", err)
	}
	dots, err := plotter.NewScatter(values.XYs)
	if err != nil {
		return nil, fmt.Errorf("plot the coverage: %w", err)
	}
	dots.Shape, dots.Radius = vgdraw.CircleGlyph{}, vg.Points(3)
	promised := plotter.NewFunction(func(float64) float64 { return 95 })
	promised.Dashes, promised.Color = []vg.Length{vg.Points(4), vg.Points(3)}, color.Gray{120}
	p.Add(promised, bars, dots)
	p.NominalX(names(cells)...)
	p.X.Min, p.X.Max = -.5, float64(len(cells))-.5
	return p, nil
}

type errorBars struct {
	plotter.XYs
	plotter.YErrors
}

// alarmsPlot shows how often each way of judging calls one of two identical apps slower or faster.
func (c Calibration) alarmsPlot() (*plot.Plot, error) {
	p := panel("two identical apps", "", "called slower or faster, % of the races")
	cells := c.at(1, minimums[0])
	ways := []struct {
		name  string
		count func(Cell) int
	}{
		{"Photofinish", func(c Cell) int { return c.Wrong }},
		{"p95 differs by 5%", func(c Cell) int { return c.Naive.Slower + c.Naive.Faster }},
		{"k6 threshold", func(c Cell) int { return c.Threshold }},
		{"Mann-Whitney test", func(c Cell) int { return c.RankTest.Slower + c.RankTest.Faster }},
	}
	const width = 11
	p.Legend.Top = true
	for i, way := range ways {
		values := make(plotter.Values, len(cells))
		for j, cell := range cells {
			values[j] = cell.share(way.count(cell))
		}
		bars, err := plotter.NewBarChart(values, vg.Points(width))
		if err != nil {
			return nil, fmt.Errorf("plot the false alarms: %w", err)
		}
		bars.Offset = vg.Points(width * (float64(i) - float64(len(ways)-1)/2))
		bars.Color, bars.LineStyle.Width = style(i).Color, 0
		p.Add(bars)
		p.Legend.Add(way.name, bars)
	}
	p.NominalX(names(cells)...)
	p.X.Min, p.X.Max = -.5, float64(len(cells))-.5
	return p, nil
}

func names(cells []Cell) []string {
	all := make([]string, len(cells))
	for i, c := range cells {
		all[i] = c.World
	}
	return all
}

// wilson is the 95% interval of a share by Wilson (1927).
func wilson(k, n int) (low, high float64) {
	const z = 1.959964
	share, count := float64(k)/float64(n), float64(n)
	centre := (share + z*z/(2*count)) / (1 + z*z/count)
	half := z / (1 + z*z/count) * math.Sqrt(share*(1-share)/count+z*z/(4*count*count))
	return centre - half, centre + half
}
