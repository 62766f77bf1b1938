package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.List;

/**
 * What curvature takes: memory of the driver, numbers on their way, and factorisations at a
 * refresh.
 *
 * @param heap numbers in float64 that the driver keeps on its heap
 * @param outside numbers in the training's precision that the driver keeps outside of it
 * @param sums numbers that each task sends when it sends statistics
 * @param bases numbers that are sent to all executors at a refresh
 * @param inverted sizes of the matrices that a refresh inverts
 * @param decomposed sizes of the matrices that a refresh takes eigenvectors of
 */
public record Footprint(
    long heap,
    long outside,
    long sums,
    long bases,
    List<Integer> inverted,
    List<Integer> decomposed) {
  /** Nothing. */
  public static final Footprint NONE = new Footprint(0, 0, 0, 0, List.of(), List.of());

  public Footprint {
    inverted = List.copyOf(inverted);
    decomposed = List.copyOf(decomposed);
  }

  /** Numbers that are kept and sent, nothing else. */
  static Footprint ofNumbers(long heap, long outside, long sums) {
    return new Footprint(heap, outside, sums, 0, List.of(), List.of());
  }

  /** Two factors and their inverses. */
  static Footprint factored(long rows, long columns) {
    long triangles = triangle(rows) + triangle(columns);
    return new Footprint(
        triangles,
        rows * rows + columns * columns + 2 * rows * columns,
        triangles,
        0,
        List.of((int) rows, (int) columns),
        List.of());
  }

  /** Two factors, their eigenvectors and the products of their eigenvalues. */
  static Footprint eigen(long rows, long columns) {
    Footprint factored = factored(rows, columns);
    return new Footprint(
        factored.heap + rows * columns,
        factored.outside,
        factored.sums,
        0,
        List.of(),
        factored.inverted);
  }

  /** As {@link #eigen}, with eigenvalues that tasks estimate. */
  static Footprint rescaled(long rows, long columns) {
    Footprint eigen = eigen(rows, columns);
    return new Footprint(
        eigen.heap,
        eigen.outside,
        eigen.sums + rows * columns,
        rows * rows + columns * columns,
        List.of(),
        eigen.decomposed);
  }

  private static long triangle(long n) {
    return n * (n + 1) / 2;
  }

  Footprint plus(Footprint other) {
    List<Integer> bothInverted = new ArrayList<>(inverted);
    bothInverted.addAll(other.inverted);
    List<Integer> bothDecomposed = new ArrayList<>(decomposed);
    bothDecomposed.addAll(other.decomposed);
    return new Footprint(
        heap + other.heap,
        outside + other.outside,
        sums + other.sums,
        bases + other.bases,
        bothInverted,
        bothDecomposed);
  }
}
