package org.kfac4j.optimizer;

/**
 * Training left the range in which it can go on; the message names iteration, layer and figures.
 * Jobs exit with code 3.
 */
public final class DivergedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DivergedException(String message) {
    super(message);
  }
}
