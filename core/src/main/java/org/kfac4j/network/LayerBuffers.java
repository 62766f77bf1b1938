package org.kfac4j.network;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.kfac4j.linalg.Matrix;

/**
 * What one layer works on in a pass over a block: its parameters, the values that come in and go
 * out, their gradients and tangents, and room to compute in. Belongs to one thread.
 */
public final class LayerBuffers {
  private final List<Rows> in;
  private final Rows out;
  private final Scratch scratch;
  private @Nullable Matrix parameters;
  private @Nullable Matrix direction;
  private @Nullable Rows gradientOut;
  private final @Nullable Rows[] gradientIn;
  private @Nullable Rows tangentOut;
  private final @Nullable Rows[] tangentIn;
  private @Nullable Object memory;
  private boolean training;
  private long key;
  private long[] ids = {};

  public LayerBuffers(List<Rows> in, Rows out, Scratch scratch) {
    this.in = List.copyOf(in);
    this.out = out;
    this.scratch = scratch;
    this.gradientIn = new Rows[in.size()];
    this.tangentIn = new Rows[in.size()];
  }

  public void setParameters(@Nullable Matrix matrix) {
    parameters = matrix;
  }

  public void setDirection(@Nullable Matrix matrix) {
    direction = matrix;
  }

  public void setGradientOut(Rows rows) {
    gradientOut = rows;
  }

  public void setGradientIn(int k, Rows rows) {
    gradientIn[k] = rows;
  }

  public void setTangentOut(Rows rows) {
    tangentOut = rows;
  }

  /**
   * @param rows null if the k-th input does not move
   */
  public void setTangentIn(int k, @Nullable Rows rows) {
    tangentIn[k] = rows;
  }

  /**
   * Says which examples the next pass is over.
   *
   * @param forTraining whether what layers do in training only is to be done
   * @param passKey of random streams; the same in all passes over a batch
   * @param exampleIds one for each example; may be longer
   */
  public void setExamples(boolean forTraining, long passKey, long[] exampleIds) {
    training = forTraining;
    key = passKey;
    ids = exampleIds;
  }

  /** Whether layers do what they do in training only. */
  public boolean isTraining() {
    return training;
  }

  /** Of random streams; the same in all passes over a batch. */
  public long key() {
    return key;
  }

  /** Global id of an example of the block. */
  public long id(int example) {
    return ids[example];
  }

  /** Number of inputs. */
  public int inputs() {
    return in.size();
  }

  /** X of a layer with parameters. */
  public Matrix parameters() {
    return requireNonNull(parameters);
  }

  /** The direction in which X moves, of a layer with parameters. */
  public Matrix direction() {
    return requireNonNull(direction);
  }

  /** The only input. */
  public Rows in() {
    return in.get(0);
  }

  public Rows in(int k) {
    return in.get(k);
  }

  public Rows out() {
    return out;
  }

  /** ∂L/∂out. */
  public Rows gradientOut() {
    return requireNonNull(gradientOut);
  }

  /** ∂L/∂in of the only input, to be written. */
  public Rows gradientIn() {
    return gradientIn(0);
  }

  /** ∂L/∂in of the k-th input, to be written. */
  public Rows gradientIn(int k) {
    return requireNonNull(gradientIn[k]);
  }

  /** The derivative of the output, to be written. */
  public Rows tangentOut() {
    return requireNonNull(tangentOut);
  }

  /** The derivative of the only input; null if it does not move. */
  public @Nullable Rows tangentIn() {
    return tangentIn[0];
  }

  /** The derivative of the k-th input; null if it does not move. */
  public @Nullable Rows tangentIn(int k) {
    return tangentIn[k];
  }

  /** Room that any layer may use until its method returns. */
  public Scratch scratch() {
    return scratch;
  }

  /** What a layer keeps between calls; made by {@code maker} the first time. */
  @SuppressWarnings("unchecked") // one layer, one type
  public <T> T memory(Supplier<T> maker) {
    if (memory == null) {
      memory = maker.get();
    }
    return (T) memory;
  }
}
