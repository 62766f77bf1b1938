package org.kfac4j.curvature;

import java.io.Serializable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.kfac4j.Check;
import org.kfac4j.Snapshot;
import org.kfac4j.network.Network.ParameterBlock;

/**
 * The rows ā and g of some examples of the last few batches, each batch with a weight: what a
 * layer's Fisher block is made of, and never that block or a factor of it.
 *
 * <p>Weights are those of a running average that forgets what is older than the window: they add up
 * to one, so that A = Σ weight · E[ā āᵀ] over the batches.
 */
public final class RowWindow implements BlockStatistics {
  private static final long serialVersionUID = 1L;

  private final int rows;
  private final int columns;
  private final int positions;
  private final int window;
  private final ArrayDeque<Rows> batches = new ArrayDeque<>();

  /**
   * Rows of one batch.
   *
   * @param weight of the batch in the average; not normalised
   * @param examples rows of one example each: ā at all positions, then g at all positions of one
   *     backward pass after the other
   */
  public record Rows(double weight, List<double[]> examples) implements Serializable {}

  RowWindow(ParameterBlock block, int positions, int window) {
    this.rows = block.rows();
    this.columns = block.columns();
    this.positions = positions;
    this.window = window;
  }

  @Override
  public void update(Sums sums, ParameterBlock block, double epsilon) {
    List<double[]> examples = sums.rows(SumNames.rows(block));
    Check.that(!examples.isEmpty(), "there are no rows of layer %s", block.name());
    List<Rows> older = new ArrayList<>(batches);
    batches.clear();
    for (Rows each : older) {
      if (epsilon > 0) {
        batches.add(new Rows(epsilon * each.weight, each.examples));
      }
    }
    batches.add(new Rows(1 - epsilon, examples));
    while (batches.size() > window) {
      batches.removeFirst();
    }
  }

  /** Batches, the oldest first, with weights that add up to one. */
  public List<Rows> batches() {
    double total = batches.stream().mapToDouble(Rows::weight).sum();
    return batches.stream().map(each -> new Rows(each.weight / total, each.examples)).toList();
  }

  public int rows() {
    return rows;
  }

  public int columns() {
    return columns;
  }

  /** Rows ā of one example. */
  public int positions() {
    return positions;
  }

  /** Numbers of an example that are ā. */
  public int inputNumbers() {
    return positions * rows;
  }

  @Override
  public boolean isFinite() {
    Iterator<double[]> all = batches.stream().flatMap(batch -> batch.examples.stream()).iterator();
    while (all.hasNext()) {
      double sum = 0;
      for (double value : all.next()) {
        sum += value * value;
      }
      if (!Double.isFinite(sum)) {
        return false;
      }
    }
    return true;
  }

  /** E[‖Σ_t ā_t g_tᵀ‖²] over the rows kept, the trace of the layer's own Fisher block. */
  @Override
  public double fisherTrace() {
    double trace = 0;
    for (Rows batch : batches()) {
      for (double[] example : batch.examples) {
        trace += batch.weight / batch.examples.size() * gradientNorms(example);
      }
    }
    return trace;
  }

  /** tr A tr G with A = E[Σ_t ā_t ā_tᵀ] and G = E[Σ_t g_t g_tᵀ] / T of the rows kept. */
  public double kroneckerTrace() {
    double a = 0;
    double g = 0;
    for (Rows batch : batches()) {
      double weight = batch.weight / batch.examples.size();
      for (double[] example : batch.examples) {
        int inputs = inputNumbers();
        a += weight * dot(example, 0, 0, inputs);
        g += weight / positions * dot(example, inputs, inputs, example.length - inputs);
      }
    }
    return a * g;
  }

  /** Σ over backward passes of ‖Σ_t ā_t g_tᵀ‖² = Σ_ts (ā_t·ā_s)(g_t·g_s). */
  private double gradientNorms(double[] example) {
    double sum = 0;
    for (int pass = inputNumbers(); pass < example.length; pass += positions * columns) {
      for (int t = 0; t < positions; t++) {
        for (int s = 0; s < positions; s++) {
          sum +=
              dot(example, t * rows, s * rows, rows)
                  * dot(example, pass + t * columns, pass + s * columns, columns);
        }
      }
    }
    return sum;
  }

  private static double dot(double[] values, int i, int j, int n) {
    double sum = 0;
    for (int k = 0; k < n; k++) {
      sum += values[i + k] * values[j + k];
    }
    return sum;
  }

  @Override
  public Map<String, Double> health() {
    return Map.of(
        "rows", (double) batches.stream().mapToInt(each -> each.examples.size()).sum() * positions);
  }

  @Override
  public void save(Snapshot snapshot, String name) {
    snapshot.put("batches " + name, batches.size());
    int b = 0;
    for (Rows batch : batches) {
      String prefix = "rows " + name + " " + b++ + " ";
      snapshot.put(prefix + "weight", batch.weight);
      snapshot.put(prefix + "examples", batch.examples.size());
      for (int i = 0; i < batch.examples.size(); i++) {
        snapshot.put(prefix + i, batch.examples.get(i));
      }
    }
  }

  @Override
  public void restore(Snapshot snapshot, String name) {
    batches.clear();
    long count = snapshot.longValue("batches " + name);
    for (int b = 0; b < count; b++) {
      String prefix = "rows " + name + " " + b + " ";
      List<double[]> examples = new ArrayList<>();
      long size = snapshot.longValue(prefix + "examples");
      for (int i = 0; i < size; i++) {
        examples.add(snapshot.doubles(prefix + i));
      }
      batches.add(new Rows(snapshot.doubleValue(prefix + "weight"), examples));
    }
  }
}
