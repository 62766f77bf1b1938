package org.kfac4j.optimizer;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.kfac4j.linalg.DiagonalBlocks;

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
  static Footprint factored(DiagonalBlocks a, DiagonalBlocks g) {
    long triangles = (long) a.packedLength() + g.packedLength();
    List<Integer> inverted = new ArrayList<>(widths(a));
    inverted.addAll(widths(g));
    return new Footprint(
        triangles,
        a.squareLength() + g.squareLength() + 2L * a.size() * g.size(),
        triangles,
        0,
        inverted,
        List.of());
  }

  /** Of a diagonal there is next to nothing to do. */
  private static List<Integer> widths(DiagonalBlocks blocks) {
    return blocks.isDiagonal()
        ? List.of()
        : IntStream.range(0, blocks.count()).mapToObj(blocks::width).toList();
  }

  /** Two factors, their eigenvectors and the products of their eigenvalues. */
  static Footprint eigen(DiagonalBlocks a, DiagonalBlocks g) {
    Footprint factored = factored(a, g);
    return new Footprint(
        factored.heap + (long) a.size() * g.size(),
        factored.outside,
        factored.sums,
        0,
        List.of(),
        factored.inverted);
  }

  /** The same with eigenvectors that are sent to tasks, which estimate n eigenvalues. */
  Footprint withSentBases(long n) {
    return new Footprint(heap, outside, sums + n, outside - 2 * n, inverted, decomposed);
  }

  /** Numbers of the largest matrix that a refresh inverts or decomposes. */
  public long largestSquare() {
    return Stream.concat(inverted.stream(), decomposed.stream())
        .mapToLong(n -> (long) n * n)
        .max()
        .orElse(0);
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
