package org.kfac4j.network;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.kfac4j.Check;
import org.kfac4j.linalg.Accumulator;
import org.kfac4j.linalg.Blas;
import org.kfac4j.linalg.Matrix;

/**
 * A two-dimensional convolution (cross-correlation, as everywhere in this field), s_t = [[A]]_t X
 * at every position t: X = [kernel elements · channels + 1, filters] with the bias as its last row,
 * and a kernel element's channels together; without bias the last row is missing. A fully connected
 * layer of patches, see {@link Patches}; its Fisher block is taken for Ω ⊗ Γ, Grosse and Martens
 * 2016, arXiv:1602.01407 (KFC), or as {@link WeightSharing} says.
 *
 * @param name what messages and tables call it
 */
public record ConvolutionLayer(String name, Window window, int filters, boolean hasBias)
    implements WeightLayer {
  /** Numbers of a piece of the patch matrix: 1 MB, to stay in a core's cache. */
  private static final int PIECE = 250_000;

  /** A matrix product of fewer rows is slow, whatever the cache. */
  private static final int FEWEST_ROWS = 128;

  /** OpenBLAS does products of up to so many multiplications without copies of the factors. */
  private static final int WITHOUT_COPIES = 1_000_000;

  public ConvolutionLayer {
    Check.that(filters >= 1, "%s: a convolution needs filters, got %d", name, filters);
  }

  @Override
  public List<Shape> inputShapes() {
    return List.of(window.in());
  }

  @Override
  public Shape outputShape() {
    return window.out(filters);
  }

  /** Length of a patch, without the homogeneous coordinate. */
  private int patch() {
    return window.elements() * window.in().channels();
  }

  @Override
  public List<LayerPart> parts() {
    return List.of(
        new LayerPart(parameterRows(), parameterColumns(), hasBias, ParameterRole.WEIGHTS));
  }

  /** Rows of X. */
  public int parameterRows() {
    return patch() + (hasBias ? 1 : 0);
  }

  /** Columns of X. */
  public int parameterColumns() {
    return filters;
  }

  @Override
  public void forward(LayerBuffers buffers, int n) {
    OneDnnConvolution oneDnn = memory(buffers).oneDnn;
    if (oneDnn != null) {
      oneDnn.forward(buffers.in(), buffers.parameters(), buffers.out(), n);
      return;
    }
    multiply(buffers, buffers.in(), false, buffers.parameters(), 0, buffers.out(), n);
  }

  /** ṡ = [[A]] V + [[Ȧ]] X₀, with X₀ the rows of X without the bias. */
  @Override
  public void tangent(LayerBuffers buffers, int n) {
    Rows tangentIn = buffers.tangentIn();
    Rows out = buffers.tangentOut();
    OneDnnConvolution oneDnn = memory(buffers).oneDnn;
    if (oneDnn != null) {
      oneDnn.forward(buffers.in(), buffers.direction(), out, n);
      if (tangentIn != null) {
        oneDnn.addForward(tangentIn, buffers.parameters(), out, n, buffers.scratch());
      }
      return;
    }
    multiply(buffers, buffers.in(), false, buffers.direction(), 0, out, n);
    if (tangentIn != null) {
      Matrix weights = buffers.parameters().top(patch());
      multiply(buffers, tangentIn, true, weights, 1, out, n);
    }
  }

  /** out ← patches(in) X + β out; {@code withoutOnes} leaves the homogeneous coordinate aside. */
  private void multiply(
      LayerBuffers buffers, Rows in, boolean withoutOnes, Matrix x, double beta, Rows out, int n) {
    Patches patches = patches(buffers);
    forPieces(
        n,
        (first, count, begin, end) -> {
          Matrix piece = piece(buffers, count * (end - begin));
          patches.gather(in, first, count, begin, end, piece);
          Blas.multiply(
              withoutOnes ? piece.left(patch()) : piece,
              false,
              x,
              false,
              beta,
              positions(out, first, count, begin, end));
        });
  }

  /** ∂L/∂a: the patches' gradients g_t X₀ᵀ, added up where patches overlap. */
  @Override
  public void backward(LayerBuffers buffers, int n) {
    OneDnnConvolution oneDnn = memory(buffers).oneDnn;
    if (oneDnn != null && oneDnn.canGoBackward()) {
      oneDnn.backward(
          buffers.gradientOut(), buffers.parameters(), buffers.gradientIn(), n, buffers.scratch());
      return;
    }
    Patches patches = patches(buffers);
    Matrix weights = buffers.parameters().top(patch());
    forPieces(
        n,
        (first, count, begin, end) -> {
          Matrix piece = piece(buffers, count * (end - begin));
          Blas.multiply(
              positions(buffers.gradientOut(), first, count, begin, end),
              false,
              weights,
              true,
              0,
              piece.left(patch()));
          patches.scatter(piece, buffers.gradientIn(), first, count, begin, end);
        });
  }

  @Override
  public void backwardAndAddGradient(LayerBuffers buffers, int n, List<Accumulator> sums) {
    OneDnnConvolution oneDnn = memory(buffers).oneDnn;
    if (oneDnn == null) {
      addGradient(buffers, n, sums);
      backward(buffers, n);
      return;
    }
    sums.get(0)
        .add(
            oneDnn.backward(
                buffers.in(),
                buffers.gradientOut(),
                buffers.parameters(),
                buffers.gradientIn(),
                n,
                buffers.scratch()));
  }

  /** Σ [[A]]ᵀ g, over positions too. */
  @Override
  public void addGradient(LayerBuffers buffers, int n, List<Accumulator> sums) {
    Accumulator sum = sums.get(0);
    Patches patches = patches(buffers);
    forPieces(
        n,
        (first, count, begin, end) -> {
          Matrix piece = piece(buffers, count * (end - begin));
          patches.gather(buffers.in(), first, count, begin, end, piece);
          addProduct(piece, positions(buffers.gradientOut(), first, count, begin, end), sum);
        });
  }

  /** sum ← sum + [[A]]ᵀ g, a few rows at a time if the result is small. */
  private static void addProduct(Matrix piece, Matrix gradient, Accumulator sum) {
    int few = WITHOUT_COPIES / Math.multiplyExact(piece.columns(), gradient.columns());
    int step = few < FEWEST_ROWS ? piece.rows() : few;
    for (int at = 0; at < piece.rows(); at += step) {
      int rows = Math.min(step, piece.rows() - at);
      sum.addProduct(rows(piece, at, rows), true, rows(gradient, at, rows), false);
    }
  }

  private static Matrix rows(Matrix matrix, int from, int count) {
    return matrix.view((long) from * matrix.stride(), count, matrix.columns(), matrix.stride());
  }

  @Override
  public void addInputMoments(
      LayerBuffers buffers, int n, WeightSharing sharing, List<Accumulator> sums) {
    Accumulator sum = sums.get(0);
    Patches patches = patches(buffers);
    double scale = sharing.inputScale(window.positions());
    if (sharing == WeightSharing.REDUCE) {
      Matrix reduced = buffers.scratch().matrix(0, n, patches.columns());
      double[] row = new double[patches.columns()];
      for (int example = 0; example < n; example++) {
        patches.sum(buffers.in(), example, row);
        reduced.put((long) example * row.length, row, 0, row.length);
      }
      sum.addGram(reduced, scale);
      return;
    }
    PatchMoments moments = memory(buffers).moments;
    if (moments != null) {
      moments.add(buffers, n, scale, sum);
      return;
    }
    // As many rows as Ω has, which is read and written for every piece.
    forPieces(
        n,
        Math.max(pieceRows(), parameterRows()),
        (first, count, begin, end) -> {
          Matrix piece = piece(buffers, count * (end - begin));
          patches.gather(buffers.in(), first, count, begin, end, piece);
          sum.addGram(piece, scale);
        });
  }

  @Override
  public void addGradientMoments(
      LayerBuffers buffers, int n, WeightSharing sharing, List<Accumulator> sums) {
    Accumulator sum = sums.get(0);
    double scale = sharing.gradientScale(window.positions());
    if (sharing == WeightSharing.REDUCE) {
      Matrix reduced = buffers.scratch().matrix(0, n, filters);
      double[] map = new double[outputs()];
      double[] row = new double[filters];
      for (int example = 0; example < n; example++) {
        buffers.gradientOut().get(example, map);
        java.util.Arrays.fill(row, 0);
        for (int i = 0; i < map.length; i++) {
          row[i % filters] += map[i];
        }
        reduced.put((long) example * filters, row, 0, filters);
      }
      sum.addGram(reduced, scale);
      return;
    }
    sum.addGram(buffers.gradientOut().positions(n), scale);
  }

  @Override
  public void forRows(LayerBuffers buffers, int n, RowWork work) {
    int positions = window.positions();
    int step = Math.max(1, pieceRows() / positions);
    for (int first = 0; first < n; first += step) {
      int count = Math.min(step, n - first);
      Matrix piece = piece(buffers, count * positions);
      patches(buffers).gather(buffers.in(), first, count, 0, positions, piece);
      work.apply(
          0, first, count, piece, positions(buffers.gradientOut(), first, count, 0, positions));
    }
  }

  private Patches patches(LayerBuffers buffers) {
    return memory(buffers).patches;
  }

  /** What one layer keeps in one workspace: where patches come from, and what goes without them. */
  private record Memory(
      Patches patches, @Nullable PatchMoments moments, @Nullable OneDnnConvolution oneDnn) {}

  private Memory memory(LayerBuffers buffers) {
    return buffers.memory(
        () ->
            new Memory(
                new Patches(window, hasBias),
                PatchMoments.of(window, hasBias),
                OneDnnConvolution.of(window, filters, hasBias, buffers.scratch().precision())));
  }

  private Matrix piece(LayerBuffers buffers, int rows) {
    return buffers.scratch().matrix(0, rows, parameterRows());
  }

  private Matrix positions(Rows rows, int first, int count, int begin, int end) {
    return rows.positions(first * window.positions() + begin, count * (end - begin));
  }

  /** Positions {@code begin} to {@code end} of {@code count} examples from {@code first} on. */
  @FunctionalInterface
  private interface PieceWork {
    void apply(int first, int count, int begin, int end);
  }

  /** All positions of n examples: several whole examples at a time, or one in several pieces. */
  private void forPieces(int n, PieceWork work) {
    forPieces(n, pieceRows(), work);
  }

  private int pieceRows() {
    return Math.max(FEWEST_ROWS, PIECE / parameterRows());
  }

  private void forPieces(int n, int rows, PieceWork work) {
    int positions = window.positions();
    if (rows >= positions) {
      int examples = rows / positions;
      for (int first = 0; first < n; first += examples) {
        work.apply(first, Math.min(examples, n - first), 0, positions);
      }
      return;
    }
    int pieces = (positions + rows - 1) / rows;
    for (int example = 0; example < n; example++) {
      for (int k = 0; k < pieces; k++) {
        work.apply(
            example,
            1,
            (int) ((long) positions * k / pieces),
            (int) ((long) positions * (k + 1) / pieces));
      }
    }
  }
}
