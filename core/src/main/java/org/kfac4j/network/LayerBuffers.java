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
public final class LayerBuffers implements AutoCloseable {
  private final List<Rows> in;
  private final Rows out;
  private final Scratch scratch;
  private List<Matrix> parameters = List.of();
  private List<Matrix> direction = List.of();
  private @Nullable Rows gradientOut;
  private final @Nullable Rows[] gradientIn;
  private @Nullable Rows tangentOut;
  private final @Nullable Rows[] tangentIn;
  private @Nullable Object memory;
  private @Nullable Scratch own;
  private boolean training;
  private boolean holding;
  private long key;
  private long[] ids = {};
  private double weight;

  public LayerBuffers(List<Rows> in, Rows out, Scratch scratch) {
    this.in = List.copyOf(in);
    this.out = out;
    this.scratch = scratch;
    this.gradientIn = new Rows[in.size()];
    this.tangentIn = new Rows[in.size()];
  }

  /**
   * @param matrices one for each part
   */
  public void setParameters(List<Matrix> matrices) {
    parameters = List.copyOf(matrices);
  }

  /**
   * @param matrices one for each part
   */
  public void setDirection(List<Matrix> matrices) {
    direction = List.copyOf(matrices);
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
   * @param exampleWeight the sum of their weights, their number if they have none
   */
  public void setExamples(
      boolean forTraining, long passKey, long[] exampleIds, double exampleWeight) {
    training = forTraining;
    key = passKey;
    ids = exampleIds;
    weight = exampleWeight;
  }

  /** What the block counts as in the mean over a batch: the sum of its examples' weights. */
  public double weight() {
    return weight;
  }

  /** Whether layers do what they do in training only. */
  public boolean isTraining() {
    return training;
  }

  /** Says whether what is computed of all examples of the block counts as constant from now on. */
  public void setHolding(boolean statistics) {
    holding = statistics;
  }

  /**
   * Whether derivatives take what the layer computed of all examples of the block for constants, so
   * that each example's gradient is its own.
   */
  public boolean isHolding() {
    return holding;
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

  /** The first part of the parameters. */
  public Matrix parameters() {
    return parameters(0);
  }

  public Matrix parameters(int part) {
    return parameters.get(part);
  }

  /** The direction in which the first part of the parameters moves. */
  public Matrix direction() {
    return direction(0);
  }

  public Matrix direction(int part) {
    return direction.get(part);
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

  /** As {@link #scratch}, of this layer alone: what is in it stays until the layer changes it. */
  public Scratch own() {
    Scratch pieces = own;
    if (pieces == null) {
      pieces = new Scratch(scratch.precision());
      own = pieces;
    }
    return pieces;
  }

  @Override
  public void close() {
    if (own != null) {
      own.close();
    }
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
